"""Occasions that follow from what somebody bought or booked, and offer nothing."""

from marketing.content.prebuilt.occasion import Occasion

SERVICE = (
    Occasion(
        key="package-expiry",
        name="Package about to expire",
        category="reminder",
        template_type="trigger",
        trigger_type="package_expiry",
        heading={"en": "Your package", "hi": "आपका पैकेज"},
        subject={
            "en": "Your package is valid until {{ package_expiry_date }}",
            "hi": "आपका पैकेज {{ package_expiry_date }} तक मान्य है",
        },
        preheader={
            "en": "Sessions left: {{ package_sessions_left }}.",
            "hi": "बचे हुए सेशन: {{ package_sessions_left }}।",
        },
        chat={
            "en": "Hi @name, your package is valid until {{ package_expiry_date }}. Sessions "
            "left: {{ package_sessions_left }}.\n\nReply to this message to book, so that none "
            "of them is lost.",
            "hi": "नमस्ते @name, आपका पैकेज {{ package_expiry_date }} तक मान्य है। बचे हुए सेशन: "
            "{{ package_sessions_left }}।\n\nकोई सेशन बेकार न जाए, इसलिए इस संदेश का जवाब देकर "
            "समय तय कर लीजिए।",
        },
        sms={
            "en": "Hi @guest, sessions left in your package: {{ package_sessions_left }}. Use "
            "them by {{ package_expiry_date }}.",
            "hi": "@guest, पैकेज में बचे सेशन: {{ package_sessions_left }}। "
            "{{ package_expiry_date }} तक ले लीजिए।",
            "bn": "@guest, প্যাকেজে বাকি সেশন: {{ package_sessions_left }}। "
            "{{ package_expiry_date }} পর্যন্ত নেওয়া যাবে।",
        },
        segments={"en": 1, "hi": 1, "bn": 2},
        needs=("package_sessions_left", "package_expiry_date"),
    ),
    Occasion(
        key="membership-expiry",
        name="Membership about to expire",
        category="reminder",
        template_type="trigger",
        trigger_type="membership_expiry",
        heading={"en": "Your membership", "hi": "आपकी सदस्यता"},
        subject={
            "en": "Your membership is valid until {{ membership_expiry_date }}",
            "hi": "आपकी सदस्यता {{ membership_expiry_date }} तक मान्य है",
        },
        preheader={
            "en": "Renewing it takes a minute at the desk.",
            "hi": "नवीनीकरण में काउंटर पर बस एक मिनट लगता है।",
        },
        chat={
            "en": "Hi @name, your membership at @salon is valid until "
            "{{ membership_expiry_date }}.\n\nTo go on with it, tell us at the desk or reply to "
            "this message, and we will see to the rest.",
            "hi": "नमस्ते @name, @salon में आपकी सदस्यता {{ membership_expiry_date }} तक मान्य "
            "है।\n\nइसे जारी रखने के लिए काउंटर पर बताइए या इस संदेश का जवाब दीजिए, बाक़ी हम देख "
            "लेंगे।",
        },
        sms={
            "en": "Hi @guest, your membership is valid until {{ membership_expiry_date }}. Tell "
            "us at the desk if you wish to go on with it.",
            "hi": "@guest, आपकी सदस्यता {{ membership_expiry_date }} तक मान्य है।",
            "bn": "@guest, আপনার সদস্যপদ {{ membership_expiry_date }} পর্যন্ত।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        needs=("membership_expiry_date",),
    ),
    Occasion(
        key="feedback",
        name="How was your visit?",
        category="feedback",
        template_type="trigger",
        trigger_type="feedback_request",
        heading={"en": "How was your visit?", "hi": "आपका अनुभव कैसा रहा?"},
        subject={
            "en": "How was your visit, @guest?",
            "hi": "@guest, आपका अनुभव कैसा रहा?",
        },
        preheader={
            "en": "One number is enough. We read every answer.",
            "hi": "बस एक अंक काफ़ी है। हम हर जवाब पढ़ते हैं।",
        },
        chat={
            "en": "Hi @name, thank you for visiting @branch. How was it?\n\nReply with a number "
            "from 1 (poor) to 5 (excellent). We read every answer.",
            "hi": "नमस्ते @name, @branch में आने के लिए धन्यवाद। आपका अनुभव कैसा रहा?\n\n1 (ख़राब) "
            "से 5 (बहुत बढ़िया) के बीच कोई अंक लिखकर जवाब दीजिए। हम हर जवाब पढ़ते हैं।",
        },
        sms={
            "en": "@guest, how was your visit? Reply with 1 (poor) to 5 (excellent). Thank you!",
            "hi": "@guest, अनुभव कैसा रहा? 1 (ख़राब) से 5 (बढ़िया) लिखें।",
            "bn": "@guest, কেমন লাগল? 1 (খারাপ) থেকে 5 (দারুণ) লিখুন।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
    ),
    Occasion(
        key="thank-you",
        name="Thank you for your visit",
        category="thank-you",
        template_type="trigger",
        trigger_type="post_visit_thank_you",
        heading={"en": "Thank you!", "hi": "धन्यवाद!"},
        subject={"en": "Thank you for your visit", "hi": "हमारे यहाँ आने के लिए धन्यवाद"},
        preheader={
            "en": "We hope you love how you look.",
            "hi": "उम्मीद है कि आपको अपना नया रूप पसंद आया।",
        },
        chat={
            "en": "Hi @name, thank you for visiting us at @branch today. We hope you love how you "
            "look!\n\nSee you again soon.",
            "hi": "नमस्ते @name, आज @branch में आने के लिए धन्यवाद। उम्मीद है कि आपको अपना नया "
            "रूप पसंद आया होगा!\n\nफिर मिलेंगे।",
        },
        sms={
            "en": "Thank you for your visit, @guest. We hope you love how you look. See you soon!",
            "hi": "@guest, आने के लिए धन्यवाद। फिर ज़रूर आइए!",
            "bn": "@guest, আসার জন্য ধন্যবাদ। আবার আসবেন!",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
    ),
)
