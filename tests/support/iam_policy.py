#!/usr/bin/env python3
"""What a policy permits, by moto's evaluation of IAM's language.

    iam_policy.py POLICY ACTION RESOURCE [ACTION RESOURCE ...]

prints "permitted" or "denied" for each pair, a line each. Conditions are not looked at.
"""
import sys

from moto.iam.access_control import IAMPolicy, PermissionResult

policy = IAMPolicy(sys.argv[1])
for action, resource in zip(sys.argv[2::2], sys.argv[3::2]):
    result = policy.is_action_permitted(action, resource)
    print("permitted" if result == PermissionResult.PERMITTED else "denied")
