"""Codes on paper and on screens: QR codes, one card, a sheet of cards. No database."""

from marketing.coupons.cards.qr import qr_png, qr_svg
from marketing.coupons.cards.sheet import Card, card_pdf, sheet_pdf

__all__ = ["Card", "card_pdf", "qr_png", "qr_svg", "sheet_pdf"]
