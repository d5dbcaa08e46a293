#!/usr/bin/env python3
"""config.py - what the real SDKs' tools make of Kconfig files and module.yml, for the stand-ins here.

SPDX-License-Identifier: MIT

    config.py OUT SETTINGS KCONFIG...        OUT/config.cmake and OUT/config.h, by kconfiglib
    config.py OUT SETTINGS --modules DIR...  the same of Zephyr's modules, and OUT/modules.cmake

Settings are lines of CONFIG_NAME=value. One that doesn't take effect is an error.
"""
import os
import sys

try:
    import kconfiglib
    import yaml
except ImportError:  # another python3 than Debian's
    sys.path.append("/usr/lib/python3/dist-packages")
    import kconfiglib
    import yaml


def read_modules(folders, out):
    """Their Kconfig files; where their CMakeLists.txt are goes to a file."""
    kconfigs = []
    with open(out + "/modules.cmake", "w", encoding="utf-8") as file:
        for folder in folders:
            with open(folder + "/zephyr/module.yml", encoding="utf-8") as module:
                module = yaml.safe_load(module)
            build = module["build"]
            assert module["name"] and set(module) <= {"name", "build"}, module
            kconfigs.append(os.path.join(folder, build["kconfig"]))
            file.write('list(APPEND ZEPHYR_MODULE_DIRS "%s")\n' % os.path.normpath(
                os.path.join(folder, build["cmake"])))
    return kconfigs


def evaluate(kconfigs, settings, out):
    root = out + "/Kconfig"
    with open(root, "w", encoding="utf-8") as file:
        file.write('mainmenu "stand-in"\n')
        file.writelines('source "%s"\n' % os.path.abspath(path) for path in kconfigs)
    config = kconfiglib.Kconfig(root, warn_to_stderr=False)
    config.load_config(settings)
    wrong = [text for text in config.warnings if "default selection" not in text]
    with open(settings, encoding="utf-8") as file:
        for line in filter(None, map(str.strip, file)):
            name, value = line[len("CONFIG_"):].split("=", 1)
            if config.syms[name].str_value != value.strip('"'):
                wrong.append("%s is %s" % (line, config.syms[name].str_value))
    if wrong:
        sys.exit("\n".join(wrong))
    config.write_autoconf(out + "/config.h")
    with open(out + "/config.cmake", "w", encoding="utf-8") as file:
        for symbol in config.unique_defined_syms:
            if symbol.str_value not in ("", "n"):
                file.write('set(CONFIG_%s "%s")\n' % (symbol.name, symbol.str_value))


def main():
    out, settings, *kconfigs = sys.argv[1:]
    if "--modules" in kconfigs:
        at = kconfigs.index("--modules")
        kconfigs = kconfigs[:at] + read_modules(kconfigs[at + 1:], out)
    evaluate(kconfigs, settings, out)


if __name__ == "__main__":
    main()
