"""The HTTP contract's conventions for Django REST framework.

Nothing is imported here: the framework's settings name classes of these modules one by one.
"""
