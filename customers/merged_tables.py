"""How customers' own tables take part when two people become one."""

from customers import merging

MOVED = ("CustomerNote", "Visit", "Purchase", "Membership", "Package", "CustomerEvent")


def register() -> None:
    """Called when the app is loaded."""
    for model in MOVED:
        merging.register_rows(f"customers.{model}")
    merging.register_rows("customers.ConsentRecord")
    merging.register_single_rows("customers.TopicRefusal", key="topic_id")
    for model, field, why in (
        ("Customer", "merged_into", "what the merge itself writes"),
        ("ContactPoint", "customer", "united by services.merged_addresses"),
        ("ConsentState", "customer", "made stricter by services.merged_consent"),
        ("CustomerFacts", "customer", "computed again for both"),
        ("CategoryRhythm", "customer", "computed again for both"),
        ("StaleFacts", "customer_id", "a mark of who is to be computed again"),
        ("CustomerMerge", "survivor", "what was done, to whom it was done"),
        ("CustomerMerge", "merged", "what was done, to whom it was done"),
        ("ImportRow", "customer_id", "whom a line means is asked again when it is written"),
        ("DuplicatePair", "first", "looked for anew each night; refusals are carried over"),
        ("DuplicatePair", "second", "looked for anew each night; refusals are carried over"),
    ):
        merging.leave(f"customers.{model}", field, why)
