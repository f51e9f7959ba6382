#!/usr/bin/env python3
"""moto's S3 and IAM on loopback, with signatures and policies checked: what the rights of a role are worth.

    moto_server.py BUCKET POLICY

makes the bucket and a user with the policy (JSON). The first line of output
is: port, access key id, secret access key.
"""
import os
import socket
import sys
import time

SET_UP_REQUESTS = 4  # these need no rights
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SET_UP_REQUESTS)
os.environ.update(AWS_ACCESS_KEY_ID="set-up", AWS_SECRET_ACCESS_KEY="set-up", AWS_DEFAULT_REGION="eu-central-1")
os.environ.pop("AWS_PROFILE", None)

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

bucket, policy = sys.argv[1:3]
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()

endpoint = f"http://127.0.0.1:{port}"
boto3.client("s3", endpoint_url=endpoint).create_bucket(
    Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
iam = boto3.client("iam", endpoint_url=endpoint)
iam.create_user(UserName="backup")
iam.put_user_policy(UserName="backup", PolicyName="least", PolicyDocument=policy)
key = iam.create_access_key(UserName="backup")["AccessKey"]
print(port, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
while True:
    time.sleep(3600)
