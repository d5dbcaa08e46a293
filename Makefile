# make demo          bucket, upload, listing, download, delete over https, against a server of its own
#                    (DEMO_SERVER=rgw: against Ceph's gateway)
# make test          everything that can be tested without another server
# make test-servers  the same program against the embedded server, Ceph 16 and 20, and Swift; other
#                    services against moto and dynalite; the tool beside awscli on Ceph;
#                    AssumeRole, boto3's resources, transfers that are killed
# make firmware      examples/firmware on an emulated Cortex-M3, over TLS to the embedded server and
#                    to Ceph's gateway
# make s3-static     examples/s3.c in one small file that needs no libc: build/s3-static
# make test-windows  headers, unit tests, port and tool for Windows: MinGW-w64 and wine
# make sizes         flash, RAM, stack and instructions, into README.md
# make bench         CPU, instructions and system calls per request, into README.md
# make clean
#
# Whatever is missing is installed by apt (tests/install.sh). Everything is built below build/.

CC      = gcc
CFLAGS  = -O0 -g
STRICT  = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
          -Wmissing-prototypes -Wundef -Wcast-qual -Werror
LDLIBS  = -lbearssl -lpthread -lm
SERVERS = own rgw rgw20 swift
SERVICES = moto dynalite rgw rgw20

HEADERS = aws.h aws_s3.h $(wildcard port/*.h tests/*.h)
TESTS   = $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
FUZZERS = $(patsubst tests/%.c,%,$(wildcard tests/fuzz_*.c))

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

demo:
	@tests/install.sh build
	@tests/demo.sh

# ONLY='test_xml matrix' runs the steps whose names contain one of these words.
test:
	@tests/install.sh build test arm
	@tests/run.sh $(ONLY)

# All of them, though one fails: what failed is named at the end. Ceph 20, which takes minutes to unpack,
# is unpacked once.
test-servers:
	@tests/install.sh build test servers proxies
	@failed=; kept=$$(mktemp -d); \
	try() { python3 "$$@" || failed="$$failed$$*; "; }; \
	try_server() { case $$2 in rgw20) try "$$@" --dir $$kept ;; *) try "$$@" ;; esac; }; \
	for name in $(SERVERS); do try_server tests/server_suite.py $$name; done; \
	try tests/test_bounded.py --servers; \
	for name in $(SERVICES); do try_server tests/services_suite.py $$name; done; \
	try tests/tool_suite.py rgw; \
	try tests/tool_suite.py own archives; \
	try_server tests/resource_suite.py rgw20; \
	try tests/test_cuts.py rgw; \
	try tests/test_cuts.py swift --mib 20 --faults 2; \
	tests/servers/stop.sh -x $$kept; rm -rf $$kept; \
	[ -z "$$failed" ] || { echo "FAILED: $$failed"; exit 1; }

firmware:
	@tests/install.sh build arm firmware
	@python3 tests/firmware.py

test-windows:
	@tests/windows.sh

s3-static:
	@tests/targets.sh static

sizes:
	@tests/install.sh build arm
	@python3 tests/sizes.py

bench:
	@tests/install.sh build bench
	@python3 tests/bench.py --write

clean:
	rm -rf build

# ---- What tests/run.sh and .ci/run build ----

programs: $(TESTS:%=build/plain/%) $(TESTS:%=build/sanitized/%)

build/plain/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(STRICT) $(CFLAGS) -I. $< -o $@ $(LDLIBS)

# Without -Werror: what the sanitizers insert makes gcc warn of things that are not there.
SANITIZE = -fsanitize=address,undefined,bounds-strict -fno-sanitize-recover=all \
    -fno-omit-frame-pointer

build/sanitized/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CFLAGS) $(SANITIZE) -I. $< -o $@ $(LDLIBS)

# The short code of AWS_SMALL, but with all that a program would have to name.
build/short/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CFLAGS) $(SANITIZE) -DAWS_SMALL -DAWS_I_ALL_NAMED -I. $< -o $@ $(LDLIBS)

$(foreach kind,plain sanitized coverage,build/$(kind)/test_checksum_small): tests/test_checksum.c
$(foreach kind,plain sanitized coverage,build/$(kind)/test_http_small): tests/test_http.c
$(foreach kind,plain sanitized coverage,build/$(kind)/test_xml_small): tests/test_xml.c

# Tests as strictly as the plain ones, for which these stand in .ci/run.
build/coverage/test_%: tests/test_%.c $(HEADERS)
	@mkdir -p $(@D)
	cd $(@D) && $(CC) -std=c99 -O0 -g $(STRICT) --coverage -I$(CURDIR) $(CURDIR)/$< -o $(@F) $(LDLIBS)

build/coverage/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	cd $(@D) && $(CC) -std=c99 -O0 -g --coverage -I$(CURDIR) $(CURDIR)/$< -o $(@F) $(LDLIBS)

build/coverage/%: examples/%.c $(HEADERS)
	@mkdir -p $(@D)
	cd $(@D) && $(CC) -std=c99 -O0 -g --coverage -I$(CURDIR) $(CURDIR)/$< -o $(@F) $(LDLIBS)

build/fuzz/%: tests/%.c $(HEADERS)
	@mkdir -p $(@D)
	clang -std=c99 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -I. $< -o $@ $(LDLIBS)

build/s3: examples/s3.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) -std=c99 -O2 $(STRICT) -I. $< -o $@ -lbearssl

build/heap.so: tests/heap.c
	@mkdir -p $(@D)
	$(CC) -O2 -shared -fPIC $< -o $@ -ldl

.PHONY: help demo test test-servers test-windows firmware s3-static sizes bench clean programs
