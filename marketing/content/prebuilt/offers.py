"""Occasions that invite people to come, so that consent to offers is asked for."""

from marketing.content.prebuilt.occasion import Occasion

OFFERS = (
    Occasion(
        key="birthday",
        name="Birthday wishes",
        category="birthday",
        template_type="trigger",
        trigger_type="birthday_wish",
        heading={"en": "Happy birthday!", "hi": "जन्मदिन मुबारक!"},
        subject={
            "en": "Happy birthday, @guest!",
            "hi": "@guest, जन्मदिन की हार्दिक शुभकामनाएँ!",
        },
        preheader={
            "en": "A little treat is waiting for you this month.",
            "hi": "इस महीने आपके लिए एक छोटा-सा तोहफ़ा है।",
        },
        chat={
            "en": "Hi @name, everyone at @salon wishes you a wonderful birthday! 🎂\n\n"
            "Come and see us this month and let us treat you to something special. Reply to "
            "this message to book a time.",
            "hi": "नमस्ते @name, @salon के पूरे परिवार की ओर से आपको जन्मदिन की ढेरों "
            "शुभकामनाएँ! 🎂\n\nइस महीने हमारे यहाँ आइए, आपके लिए कुछ ख़ास है। समय तय करने के "
            "लिए इस संदेश का जवाब दीजिए।",
        },
        sms={
            "en": "Happy birthday, @guest! Visit us this month for a birthday treat.",
            "hi": "@guest, जन्मदिन मुबारक! इस महीने आइए, तोहफ़ा पाइए।",
            "bn": "@guest, শুভ জন্মদিন! এই মাসে আসুন, উপহার নিন।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Book a time", "hi": "समय बुक करें"},
    ),
    Occasion(
        key="festival",
        name="Festival greetings",
        category="festival",
        template_type="promotional",
        heading={"en": "Festive greetings", "hi": "त्योहार की शुभकामनाएँ"},
        subject={"en": "Get ready for the festive season", "hi": "त्योहार के लिए तैयार हो जाइए"},
        preheader={
            "en": "Good hours fill up fast: book your festive look early.",
            "hi": "अच्छे समय जल्दी भर जाते हैं: पहले से बुक कर लीजिए।",
        },
        chat={
            "en": "Hi @name, the festive season is here, and we would love to get you ready for "
            "it. ✨\n\nBook early at @branch: the best hours fill up fast. Warm wishes from all "
            "of us to you and your family!",
            "hi": "नमस्ते @name, त्योहारों की रौनक आ गई है और हम आपको सजाने-सँवारने के लिए "
            "तैयार हैं। ✨\n\n@branch में पहले से समय ले लीजिए, अच्छे समय जल्दी भर जाते हैं। "
            "आपको और आपके परिवार को हमारी ओर से शुभकामनाएँ!",
        },
        sms={
            "en": "Festive greetings, @guest! Book your festive look early: good hours fill up "
            "fast.",
            "hi": "@guest, त्योहार की शुभकामनाएँ! पहले से समय ले लीजिए।",
            "bn": "@guest, উৎসবের শুভেচ্ছা! আগেই সময় নিয়ে রাখুন।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Book a time", "hi": "समय बुक करें"},
    ),
    Occasion(
        key="win-back",
        name="We miss you",
        category="win-back",
        template_type="trigger",
        trigger_type="miss_you",
        heading={"en": "We miss you", "hi": "आपकी याद आती है"},
        subject={"en": "We miss you, @guest", "hi": "@guest, आपकी याद आती है"},
        preheader={
            "en": "It has been a while: shall we find you a time?",
            "hi": "काफ़ी समय हो गया: आपके लिए समय ढूँढ दें?",
        },
        chat={
            "en": "Hi @name, it has been a while since we saw you at @salon, and we miss you.\n\n"
            "Your @service is waiting for you. Reply to this message and we will find a time "
            "that suits you.",
            "hi": "नमस्ते @name, @salon में आपको आए काफ़ी समय हो गया है, आपकी याद आती है।\n\n"
            "@service: आपके लिए हमेशा तैयार। इस संदेश का जवाब दीजिए, हम आपकी सुविधा का समय ढूँढ "
            "देंगे।",
        },
        sms={
            "en": "We miss you, @guest! It has been a while. Come and see us soon.",
            "hi": "@guest, आपकी याद आती है! जल्दी मिलने आइए।",
            "bn": "@guest, অনেক দিন দেখা নেই! শিগগিরই আসুন।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Find me a time", "hi": "समय बताइए"},
    ),
    Occasion(
        key="flash-sale",
        name="Flash sale",
        category="offer",
        template_type="promotional",
        heading={"en": "48 hours only", "hi": "सिर्फ़ 48 घंटे"},
        subject={
            "en": "48 hours only: special prices for you",
            "hi": "सिर्फ़ 48 घंटे: आपके लिए ख़ास दाम",
        },
        preheader={
            "en": "Special prices on selected services, then they are gone.",
            "hi": "चुनी हुई सेवाओं पर ख़ास दाम, थोड़े समय के लिए।",
        },
        chat={
            "en": "Hi @name, for the next 48 hours only there are special prices on selected "
            "services at @salon. ⚡\n\nReply to this message to book before they are gone.",
            "hi": "नमस्ते @name, सिर्फ़ अगले 48 घंटों के लिए @salon में चुनी हुई सेवाओं पर ख़ास "
            "दाम हैं। ⚡\n\nमौक़ा निकलने से पहले इस संदेश का जवाब देकर बुक कीजिए।",
        },
        sms={
            "en": "48 hours only, @guest: special prices on selected services. Book now!",
            "hi": "@guest, सिर्फ़ 48 घंटे: चुनी सेवाओं पर ख़ास दाम।",
            "bn": "@guest, মাত্র 48 ঘণ্টা: বাছাই সেবায় বিশেষ দাম।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Book now", "hi": "अभी बुक करें"},
    ),
    Occasion(
        key="referral",
        name="Bring a friend",
        category="referral",
        template_type="promotional",
        heading={"en": "Better together", "hi": "साथ में मज़ा दुगुना"},
        subject={
            "en": "Bring a friend on your next visit",
            "hi": "अगली बार किसी दोस्त को साथ लाइए",
        },
        preheader={
            "en": "There is a treat for both of you.",
            "hi": "आप दोनों के लिए एक तोहफ़ा है।",
        },
        chat={
            "en": "Hi @name, a salon day is twice the fun with a friend. 💛\n\nBring one along on "
            "your next visit to @branch: there is a treat for both of you. Ask us at the desk, "
            "or reply to this message to book two places.",
            "hi": "नमस्ते @name, दोस्त साथ हो तो सैलून का दिन और भी अच्छा लगता है। 💛\n\n"
            "अगली बार @branch में किसी दोस्त को साथ लाइए: आप दोनों के लिए एक तोहफ़ा है। काउंटर "
            "पर पूछिए, या दो लोगों का समय लेने के लिए इस संदेश का जवाब दीजिए।",
        },
        sms={
            "en": "Hi @guest, bring a friend on your next visit: there is a treat for both of "
            "you. Ask us at the desk.",
            "hi": "@guest, दोस्त को साथ लाइए, दोनों तोहफ़ा पाइए!",
            "bn": "@guest, বন্ধুকে সঙ্গে আনুন, দুজনেই উপহার পান!",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Book for two", "hi": "दो के लिए बुक करें"},
    ),
    Occasion(
        key="rebooking",
        name="Time to book again",
        category="reminder",
        template_type="trigger",
        trigger_type="rebooking_reminder",
        heading={"en": "Time for your next visit", "hi": "अगली बार कब आएँगे?"},
        subject={"en": "Time for your next visit, @guest", "hi": "@guest, अगली बार कब आएँगे?"},
        preheader={
            "en": "Tell us a day that suits you, and we keep the hour.",
            "hi": "अपनी सुविधा का दिन बताइए, समय हम रख लेंगे।",
        },
        chat={
            "en": "Hi @name, you looked great after your last visit to @branch, and it is about "
            "time for the next one.\n\nReply with a day that suits you, and we will keep the hour "
            "for you.",
            "hi": "नमस्ते @name, @branch में पिछली बार के बाद आप बहुत अच्छे लग रहे थे, और अब अगली "
            "बार का समय हो गया है।\n\nअपनी सुविधा का दिन लिखकर भेजिए, हम आपके लिए समय रख लेंगे।",
        },
        sms={
            "en": "Hi @guest, it is time for your next visit. Call us to book an hour that suits "
            "you.",
            "hi": "@guest, फिर आने का समय हो गया है। फ़ोन कीजिए।",
            "bn": "@guest, আবার আসার সময় হলো। আমাদের ফোন করুন।",
        },
        segments={"en": 1, "hi": 1, "bn": 1},
        buttons={"en": "Book a time", "hi": "समय बुक करें"},
    ),
)
