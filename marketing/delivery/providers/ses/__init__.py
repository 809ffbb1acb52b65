"""Amazon SES v2.

credentials: `access_key_id`, `secret_access_key`; sender: `from_email`, `from_name`, `reply_to`,
`unsubscribe_email`, `configuration_set` (which publishes the events to SNS), `topic_arn`. The
region is the one that the account's address names.
"""
