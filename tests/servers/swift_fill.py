"""Rows straight into a Swift container's listing: many more than could be put in a test's time.

In the directory of a server that swift.sh started, after a first object was put into the bucket:

    PYTHONPATH=py:TESTS/servers /usr/bin/python3 run.py $PWD swift_fill dev/d1 BUCKET COUNT

The keys are s/000000, s/000001, ...; the objects behind them don't exist.
"""

import glob
import sys

from swift.common.utils import Timestamp
from swift.container.backend import ContainerBroker


def broker_of(device, bucket):
    for path in glob.glob(device + "/containers/*/*/*/*.db"):
        broker = ContainerBroker(path)
        broker.get_info()
        if broker.container == bucket and not broker.is_deleted():
            return broker
    sys.exit("no such bucket: " + bucket)


def main():
    device, bucket, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    broker = broker_of(device, bucket)
    now = Timestamp.now().internal
    broker.merge_items([
        {"name": f"s/{number:06}", "created_at": now, "size": 0, "deleted": 0,
         "content_type": "application/octet-stream", "etag": "d41d8cd98f00b204e9800998ecf8427e",
         "storage_policy_index": 0, "ctype_timestamp": None, "meta_timestamp": None}
        for number in range(count)])
    print(broker.get_info()["object_count"])
