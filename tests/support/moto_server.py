#!/usr/bin/env python3
"""moto, a stand-in for AWS, on loopback. The first line of output is: port, access key id, secret access key.

    moto_server.py                  whoever asks may do everything
    moto_server.py BUCKET POLICY    signatures and policies are checked: what the rights of a role are worth

The second makes the bucket and a user with the policy (JSON), whose key it is.
"""
import os
import socket
import sys
import time

SET_UP_REQUESTS = 4  # these need no rights
CHECKS_RIGHTS = len(sys.argv) > 1
if CHECKS_RIGHTS:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SET_UP_REQUESTS)
os.environ.update(AWS_ACCESS_KEY_ID="set-up", AWS_SECRET_ACCESS_KEY="set-up", AWS_DEFAULT_REGION="eu-central-1")
os.environ.pop("AWS_PROFILE", None)

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()


def make_user(bucket, policy):
    endpoint = f"http://127.0.0.1:{port}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    iam = boto3.client("iam", endpoint_url=endpoint)
    iam.create_user(UserName="backup")
    iam.put_user_policy(UserName="backup", PolicyName="least", PolicyDocument=policy)
    key = iam.create_access_key(UserName="backup")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


key_id, secret = make_user(*sys.argv[1:3]) if CHECKS_RIGHTS else ("anybody", "anything")
print(port, key_id, secret, flush=True)
while True:
    time.sleep(3600)
