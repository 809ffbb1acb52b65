"""Log filters: personal data is masked before a line leaves the process."""

import logging
import re

from marketing.core.request_id import request_id

PHONE = re.compile(r"(?<![\w.-])\+?(\d{2,4})\d{4,8}(\d{2})(?![\w-]|\.\w)")
EMAIL = re.compile(r"\b([\w.+-])[\w.+-]*@([\w-]+\.[\w.]+)")


def mask_phone(phone: str) -> str:
    """`+919876543210` as `+919****10`, Module 11's masking."""
    return f"{phone[:4]}****{phone[-2:]}" if phone else ""


def mask_personal_data(text: str) -> str:
    """The text with every phone number and e-mail address in it masked."""
    return EMAIL.sub(r"\1***@\2", PHONE.sub(lambda m: mask_phone(m.group()), text))


class MaskPersonalData(logging.Filter):
    """Mask phone numbers and e-mail addresses in the finished message."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        masked = mask_personal_data(text)
        if masked != text:
            record.msg, record.args = masked, None
        return True


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True
