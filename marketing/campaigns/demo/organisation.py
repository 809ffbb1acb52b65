"""The demo chain: three regions, twelve branches, and the people who work there."""

import random
from dataclasses import dataclass, field

from marketing.campaigns.demo.names import COMMUNITIES
from marketing.core import services
from marketing.core.models import Branch, Region, Role, Staff, StaffBranch, Tenant, User

NAME, SLUG = "Kesar Salon", "kesar"
PASSWORD = "shampoo-and-set"  # noqa: S105  printed for everybody who tries the demo
LANGUAGES = ("en", "hi")
OWNER = "owner"
STYLISTS_PER_BRANCH = 4


@dataclass(frozen=True)
class Place:
    """A branch: where it is, who lives there (percent by community), and how busy it is.

    `series` are the first four digits of mobile numbers of the town, `price_level` is the
    branch's prices compared with the list.
    """

    code: str
    name: str
    city: str
    address: str
    phone: str
    latitude: float
    longitude: float
    share: int
    price_level: float
    series: tuple[str, ...]
    people: dict[str, int] = field(hash=False)

    @property
    def login(self) -> str:
        return self.name.split()[0].lower()


REGIONS: dict[str, tuple[Place, ...]] = {
    "West": (
        Place(
            "BOM1", "Bandra West", "Mumbai", "14 Hill Road, Bandra West, Mumbai 400050",
            "+912226400110", 19.0544, 72.8347, 13, 1.35, ("9820", "9833", "9819"),
            {"marathi": 26, "gujarati": 18, "hindi": 26, "urdu": 12, "english": 10, "punjabi": 8},
        ),
        Place(
            "BOM2", "Powai", "Mumbai", "Central Avenue, Hiranandani Gardens, Mumbai 400076",
            "+912225700120", 19.1176, 72.9060, 10, 1.20, ("9821", "9867", "9892"),
            {"marathi": 32, "hindi": 34, "gujarati": 10, "tamil": 8, "bengali": 8, "malayalam": 8},
        ),
        Place(
            "PNQ1", "Koregaon Park", "Pune", "North Main Road, Koregaon Park, Pune 411001",
            "+912026150130", 18.5362, 73.8940, 9, 1.10, ("9822", "9823", "9850"),
            {"marathi": 54, "hindi": 28, "punjabi": 6, "urdu": 6, "english": 6},
        ),
        Place(
            "AMD1", "Navrangpura", "Ahmedabad", "C. G. Road, Navrangpura, Ahmedabad 380009",
            "+917926460140", 23.0365, 72.5611, 7, 0.95, ("9824", "9825", "9898"),
            {"gujarati": 66, "hindi": 24, "urdu": 10},
        ),
    ),
    "North and East": (
        Place(
            "DEL1", "Greater Kailash", "New Delhi", "M Block Market, Greater Kailash I, 110048",
            "+911141630150", 28.5494, 77.2340, 12, 1.30, ("9810", "9811", "9818"),
            {"hindi": 56, "punjabi": 28, "urdu": 8, "bengali": 8},
        ),
        Place(
            "GGN1", "Sector 29", "Gurugram", "Leisure Valley Road, Sector 29, Gurugram 122001",
            "+911244050160", 28.4691, 77.0637, 9, 1.20, ("9899", "9871", "9873"),
            {"hindi": 64, "punjabi": 22, "bengali": 8, "tamil": 6},
        ),
        Place(
            "IXC1", "Madhya Marg", "Chandigarh", "SCO 118, Madhya Marg, Chandigarh 160017",
            "+911722700170", 30.7353, 76.7794, 6, 1.00, ("9814", "9815", "9876"),
            {"punjabi": 62, "hindi": 38},
        ),
        Place(
            "CCU1", "Park Street", "Kolkata", "27 Park Street, Kolkata 700016",
            "+913322290180", 22.5535, 88.3520, 8, 1.00, ("9830", "9831", "9836"),
            {"bengali": 68, "hindi": 22, "urdu": 6, "english": 4},
        ),
    ),
    "South": (
        Place(
            "BLR1", "Indiranagar", "Bengaluru", "100 Feet Road, Indiranagar, Bengaluru 560038",
            "+918041250190", 12.9719, 77.6412, 9, 1.20, ("9845", "9886", "9880"),
            {"kannada": 36, "hindi": 24, "tamil": 14, "telugu": 12, "malayalam": 8, "bengali": 6},
        ),
        Place(
            "BLR2", "Jayanagar", "Bengaluru", "11th Main, 4th Block, Jayanagar, Bengaluru 560011",
            "+918026630200", 12.9250, 77.5938, 6, 1.00, ("9844", "9900", "9901"),
            {"kannada": 62, "tamil": 12, "telugu": 12, "hindi": 14},
        ),
        Place(
            "MAA1", "T. Nagar", "Chennai", "Pondy Bazaar, T. Nagar, Chennai 600017",
            "+914424340210", 13.0418, 80.2341, 5, 1.00, ("9840", "9841", "9884"),
            {"tamil": 76, "telugu": 10, "malayalam": 8, "hindi": 6},
        ),
        Place(
            "HYD1", "Banjara Hills", "Hyderabad", "Road No. 12, Banjara Hills, Hyderabad 500034",
            "+914023350220", 17.4126, 78.4392, 6, 1.10, ("9848", "9849", "9885"),
            {"telugu": 58, "urdu": 22, "hindi": 20},
        ),
    ),
}  # fmt: skip


@dataclass
class Organisation:
    """The chain as it was made. `stylists` have no login of their own to use."""

    tenant: Tenant
    owner: Staff
    places: dict[str, Place]
    branches: list[Branch]
    regionals: dict[str, Staff]
    managers: dict[str, Staff]
    receptionists: dict[str, Staff]
    stylists: dict[str, list[Staff]]


def make_tenant() -> tuple[Tenant, Staff]:
    """The chain and its super owner."""
    return services.create_tenant(
        name=NAME,
        slug=SLUG,
        owner_name="Kesar Rathi",
        owner_username=OWNER,
        owner_email="owner@kesar.example.com",
        owner_password=PASSWORD,
        languages=LANGUAGES,
    )


def make_organisation(tenant: Tenant, owner: Staff, seed: int) -> Organisation:
    """Regions, branches and staff of the open tenant scope."""
    team = _Team(owner, random.Random(seed))  # noqa: S311  names, not secrets
    made = Organisation(tenant, owner, {}, [], {}, {}, {}, {})
    for region_name, places in REGIONS.items():
        region = Region.objects.create(name=region_name)
        branches = [_make_branch(region, place) for place in places]
        made.branches += branches
        login = f"regional.{region_name.split()[0].lower()}"
        made.regionals[region_name] = team.add(Role.REGIONAL_MANAGER, branches, login)
        for place, branch in zip(places, branches, strict=True):
            made.places[place.code] = place
            login = place.login.strip(".")
            made.managers[place.code] = team.add(Role.BRANCH_MANAGER, [branch], f"manager.{login}")
            made.receptionists[place.code] = team.add(
                Role.RECEPTIONIST, [branch], f"reception.{login}"
            )
            made.stylists[place.code] = [
                team.add(
                    Role.RECEPTIONIST, [branch], f"stylist.{place.code.lower()}.{number}", False
                )
                for number in range(1, STYLISTS_PER_BRANCH + 1)
            ]
    team.save()
    return made


def logins() -> list[tuple[str, str]]:
    """`(username, what they are)` of one person of each role."""
    return [
        (OWNER, "super owner, all branches"),
        ("regional.west", "regional manager, West: approves"),
        ("manager.bandra", "branch manager, Bandra West: makes campaigns"),
        ("reception.bandra", "receptionist, Bandra West"),
    ]


def _make_branch(region: Region, place: Place) -> Branch:
    return Branch.objects.create(
        region=region,
        code=place.code,
        name=place.name,
        city=place.city,
        address=place.address,
        phone=place.phone,
        latitude=place.latitude,
        longitude=place.longitude,
    )


class _Team:
    """Staff to be made together: hashing a password for each would take longer than the rest."""

    def __init__(self, owner: Staff, lots: random.Random) -> None:
        self.owner = owner
        self.lots = lots
        self.staff: list[Staff] = []
        self.branches: list[tuple[Staff, Branch]] = []

    def add(
        self, role: Role, branches: list[Branch], username: str, may_log_in: bool = True
    ) -> Staff:
        community = self.lots.choice(COMMUNITIES)
        given = self.lots.choice(community.women + community.men).latin
        name = f"{given} {self.lots.choice(community.families).latin}"
        user = User(
            username=username,
            tenant_id=self.owner.tenant_id,
            first_name=given,
            email=f"{username}@kesar.example.com",
            password=self.owner.user.password,
        )
        if not may_log_in:
            user.set_unusable_password()
        staff = Staff(user=user, name=name, role=role, email=user.email)
        self.staff.append(staff)
        self.branches += [(staff, branch) for branch in branches]
        return staff

    def save(self) -> None:
        User.objects.bulk_create([staff.user for staff in self.staff])
        for staff in self.staff:
            staff.user = staff.user  # takes over the key its user was given
        Staff.objects.bulk_create(self.staff)
        StaffBranch.objects.bulk_create(
            StaffBranch(staff=staff, branch=branch) for staff, branch in self.branches
        )
