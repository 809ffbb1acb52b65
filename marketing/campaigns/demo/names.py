"""Given and family names of India's language communities, the most frequent first.

Beside the spelling in Latin letters stands the community's own, where people use it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    latin: str
    native: str


@dataclass(frozen=True)
class Community:
    """People of one language. `languages` are the shares, in percent, of preferred languages."""

    name: str
    women: tuple[Name, ...]
    men: tuple[Name, ...]
    families: tuple[Name, ...]
    languages: dict[str, int]


def _names(text: str) -> tuple[Name, ...]:
    """`"Priya प्रिया, Asha"`: names apart by commas, each with its native spelling if any."""
    pairs = (entry.split() for entry in text.split(","))
    return tuple(Name(pair[0], pair[-1]) for pair in pairs)


def _community(name: str, women: str, men: str, families: str, **languages: int) -> Community:
    return Community(name, _names(women), _names(men), _names(families), languages)


COMMUNITIES = (
    _community(
        "hindi",
        """Priya प्रिया, Pooja पूजा, Neha नेहा, Anjali अंजलि, Sunita सुनीता, Ritu ऋतु, Kavita कविता,
        Swati स्वाति, Shweta श्वेता, Nisha निशा, Ruchi रुचि, Preeti प्रीति, Aarti आरती, Shalini शालिनी,
        Meenakshi मीनाक्षी, Garima गरिमा, Divya दिव्या, Rashmi रश्मि, Vandana वंदना, Shruti श्रुति,
        Aditi अदिति, Khushboo खुशबू, Sakshi साक्षी, Tanvi तन्वी, Ishita इशिता, Mahima महिमा""",
        """Rahul राहुल, Amit अमित, Rohit रोहित, Vikas विकास, Sandeep संदीप, Ankit अंकित, Deepak दीपक,
        Manish मनीष, Saurabh सौरभ, Abhishek अभिषेक, Gaurav गौरव, Nitin नितिन, Alok आलोक,
        Vivek विवेक, Mohit मोहित, Pankaj पंकज, Siddharth सिद्धार्थ, Arjun अर्जुन""",
        """Sharma शर्मा, Gupta गुप्ता, Singh सिंह, Verma वर्मा, Mishra मिश्रा, Yadav यादव, Agarwal अग्रवाल,
        Jain जैन, Tiwari तिवारी, Srivastava श्रीवास्तव, Pandey पांडे, Saxena सक्सेना, Chauhan चौहान,
        Rathore राठौर, Bansal बंसल, Mathur माथुर, Dubey दुबे, Joshi जोशी, Tripathi त्रिपाठी""",
        hi=62,
        en=38,
    ),
    _community(
        "marathi",
        """Snehal स्नेहल, Sayali सायली, Manasi मानसी, Ashwini अश्विनी, Rutuja ऋतुजा, Vaishali वैशाली,
        Gauri गौरी, Mrunal मृणाल, Prajakta प्राजक्ता, Sonali सोनाली, Madhura मधुरा, Ketaki केतकी,
        Supriya सुप्रिया, Tejaswini तेजस्विनी, Anagha अनघा, Mugdha मुग्धा""",
        """Sachin सचिन, Prashant प्रशांत, Omkar ओंकार, Ajinkya अजिंक्य, Nilesh निलेश, Sagar सागर,
        Swapnil स्वप्निल, Mahesh महेश, Tushar तुषार, Aniket अनिकेत, Kedar केदार""",
        """Patil पाटील, Deshmukh देशमुख, Kulkarni कुलकर्णी, Jadhav जाधव, Shinde शिंदे, Pawar पवार,
        Deshpande देशपांडे, Gaikwad गायकवाड, Kale काळे, Bhosale भोसले, Sawant सावंत, Naik नाईक,
        Joglekar जोगळेकर, Chavan चव्हाण, Gokhale गोखले""",
        mr=26,
        hi=32,
        en=42,
    ),
    _community(
        "gujarati",
        """Hetal હેતલ, Komal કોમલ, Bhavika ભાવિકા, Dhara ધારા, Krupa કૃપા, Jigna જીજ્ઞા, Mital મિતલ,
        Riddhi રિદ્ધિ, Urvashi ઉર્વશી, Heena હીના, Nidhi નિધિ, Foram ફોરમ""",
        """Jignesh જીજ્ઞેશ, Hardik હાર્દિક, Chirag ચિરાગ, Parth પાર્થ, Mehul મેહુલ, Bhavesh ભાવેશ,
        Kunal કુણાલ, Harsh હર્ષ, Darshan દર્શન""",
        """Patel પટેલ, Shah શાહ, Mehta મહેતા, Desai દેસાઈ, Trivedi ત્રિવેદી, Parikh પરીખ, Modi મોદી,
        Gandhi ગાંધી, Bhatt ભટ્ટ, Panchal પંચાલ, Solanki સોલંકી, Thakkar ઠક્કર""",
        gu=22,
        hi=34,
        en=44,
    ),
    _community(
        "punjabi",
        """Simran ਸਿਮਰਨ, Harpreet ਹਰਪ੍ਰੀਤ, Jasleen ਜਸਲੀਨ, Manpreet ਮਨਪ੍ਰੀਤ, Gurleen ਗੁਰਲੀਨ,
        Navneet ਨਵਨੀਤ, Kiran ਕਿਰਨ, Amrit ਅੰਮ੍ਰਿਤ, Rupinder ਰੁਪਿੰਦਰ, Palak ਪਲਕ""",
        """Gurpreet ਗੁਰਪ੍ਰੀਤ, Jaspreet ਜਸਪ੍ਰੀਤ, Karan ਕਰਨ, Harjit ਹਰਜੀਤ, Manjit ਮਨਜੀਤ, Arshdeep ਅਰਸ਼ਦੀਪ,
        Sukhdev ਸੁਖਦੇਵ, Varun ਵਰੁਣ""",
        """Kaur ਕੌਰ, Sidhu ਸਿੱਧੂ, Gill ਗਿੱਲ, Dhillon ਢਿੱਲੋਂ, Sandhu ਸੰਧੂ, Arora ਅਰੋੜਾ, Kapoor ਕਪੂਰ,
        Khanna ਖੰਨਾ, Malhotra ਮਲਹੋਤਰਾ, Bedi ਬੇਦੀ, Grewal ਗਰੇਵਾਲ, Chopra ਚੋਪੜਾ""",
        pa=8,
        hi=50,
        en=42,
    ),
    _community(
        "bengali",
        """Sreya শ্রেয়া, Ananya অনন্যা, Moumita মৌমিতা, Debjani দেবযানী, Sutapa সুতপা, Paromita পারমিতা,
        Riya রিয়া, Tanushree তনুশ্রী, Barnali বর্ণালী, Madhumita মধুমিতা, Ishani ঈশানী, Rituparna ঋতুপর্ণা""",
        """Sourav সৌরভ, Arnab অর্ণব, Subhajit শুভজিৎ, Anirban অনির্বাণ, Debasish দেবাশিস, Abhijit অভিজিৎ,
        Kaushik কৌশিক, Sayan সায়ন, Ritwik ঋত্বিক""",
        """Das দাস, Ghosh ঘোষ, Banerjee ব্যানার্জী, Mukherjee মুখার্জী, Chatterjee চ্যাটার্জী, Roy রায়,
        Sen সেন, Bose বসু, Dutta দত্ত, Saha সাহা, Sarkar সরকার, Bhattacharya ভট্টাচার্য""",
        bn=38,
        hi=14,
        en=48,
    ),
    _community(
        "tamil",
        """Lakshmi லட்சுமி, Kavitha கவிதா, Deepika தீபிகா, Meena மீனா, Revathi ரேவதி, Sangeetha சங்கீதா,
        Nithya நித்யா, Abirami அபிராமி, Janani ஜனனி, Vidhya வித்யா, Yamini யாமினி, Keerthana கீர்த்தனா""",
        """Karthik கார்த்திக், Senthil செந்தில், Arun அருண், Vignesh விக்னேஷ், Prakash பிரகாஷ், Murugan முருகன்,
        Dinesh தினேஷ், Hari ஹரி, Balaji பாலாஜி""",
        """Subramanian சுப்பிரமணியன், Krishnan கிருஷ்ணன், Raman ராமன், Venkatesan வெங்கடேசன், Murthy மூர்த்தி,
        Natarajan நடராஜன், Sundaram சுந்தரம், Rajan ராஜன், Iyer ஐயர், Pillai பிள்ளை, Anand ஆனந்த்""",
        ta=34,
        hi=3,
        en=63,
    ),
    _community(
        "telugu",
        """Sravani శ్రావణి, Haritha హరిత, Swathi స్వాతి, Lavanya లావణ్య, Bhavana భావన, Sirisha శిరీష,
        Sahithi సాహితి, Mounika మౌనిక, Anusha అనూష, Pranathi ప్రణతి""",
        """Srinivas శ్రీనివాస్, Praveen ప్రవీణ్, Venkat వెంకట్, Naveen నవీన్, Ravi రవి, Kiran కిరణ్,
        Sai సాయి, Chaitanya చైతన్య""",
        """Reddy రెడ్డి, Rao రావు, Naidu నాయుడు, Chowdary చౌదరి, Varma వర్మ, Prasad ప్రసాద్, Goud గౌడ్,
        Raju రాజు, Kumar కుమార్, Sastry శాస్త్రి""",
        te=30,
        hi=14,
        en=56,
    ),
    _community(
        "kannada",
        """Shwetha ಶ್ವೇತಾ, Rashmika ರಶ್ಮಿಕಾ, Chaitra ಚೈತ್ರಾ, Pallavi ಪಲ್ಲವಿ, Soumya ಸೌಮ್ಯ, Kavya ಕಾವ್ಯ,
        Deepa ದೀಪಾ, Vinutha ವಿನುತಾ, Bhoomika ಭೂಮಿಕಾ, Namratha ನಮ್ರತಾ""",
        """Manjunath ಮಂಜುನಾಥ್, Raghavendra ರಾಘವೇಂದ್ರ, Santhosh ಸಂತೋಷ್, Girish ಗಿರೀಶ್, Prajwal ಪ್ರಜ್ವಲ್,
        Chethan ಚೇತನ್, Darshan ದರ್ಶನ್, Yashwanth ಯಶವಂತ್""",
        """Gowda ಗೌಡ, Shetty ಶೆಟ್ಟಿ, Hegde ಹೆಗಡೆ, Bhat ಭಟ್, Murthy ಮೂರ್ತಿ, Kamath ಕಾಮತ್, Acharya ಆಚಾರ್ಯ,
        Nayak ನಾಯಕ್, Rao ರಾವ್, Poojary ಪೂಜಾರಿ""",
        kn=30,
        hi=12,
        en=58,
    ),
    _community(
        "malayalam",
        "Anju, Sreelakshmi, Parvathy, Athira, Remya, Gayathri, Aiswarya, Nimisha",
        "Vishnu, Anoop, Sreejith, Jithin, Abhilash, Renjith, Akhil",
        "Nair, Menon, Pillai, Kurup, Varghese, Thomas, Warrier, Nambiar",
        ml=20,
        hi=5,
        en=75,
    ),
    _community(
        "urdu",
        "Ayesha, Fatima, Zoya, Sana, Nazia, Rukhsar, Mehreen, Shabana, Alisha, Hina, Saba",
        """Imran, Faisal, Arbaaz, Zaid, Irfan, Salman, Danish, Rehan, Junaid""",
        """Khan, Shaikh, Ansari, Qureshi, Siddiqui, Syed, Mirza, Pathan, Sayyed, Hussain""",
        hi=48,
        en=52,
    ),
    _community(
        "english",
        "Sharon, Natasha, Melissa, Christina, Rochelle, Karen, Angela, Priscilla",
        "Kevin, Ryan, Clyde, Savio, Melvin, Aaron, Nigel",
        "Fernandes, Dsouza, Pereira, Rodrigues, Pinto, Lobo, Mathias, Gomes, Almeida",
        hi=8,
        en=92,
    ),
)
