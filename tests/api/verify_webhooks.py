"""Verifies messages as a stock receiver does. usage: verify_webhooks.py FILE; a line of JSON a message: secret, headers, body.
Prints "good" or why not, a line a message."""
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        message = json.loads(line)
        try:
            Webhook(message["secret"]).verify(message["body"], message["headers"])
            print("good")
        except WebhookVerificationError as error:
            print(error)
