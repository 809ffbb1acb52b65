from customers.views.public import unsubscribe

__all__ = ["unsubscribe"]
