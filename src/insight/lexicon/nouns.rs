//! Nouns that rules reason about: what should grow, what should shrink, units, people, actors.

use super::Bits;

/// Words with no plural of their own, or listed with it.
pub(super) const LISTS: &[(Bits, &str)] = &[
    (Bits::PRIVATE, PRIVATE),
    (Bits::LEISURE, LEISURE),
    (
        Bits::MORE,
        "revenue satisfaction retention engagement productivity efficiency quality morale",
    ),
    (Bits::MORE, "accuracy throughput performance uptime availability adoption attendance trust"),
    (
        Bits::MORE,
        "income profitability turnout visibility awareness coverage traffic loyalty reach",
    ),
    (Bits::MORE, "collaboration cooperation participation compliance safety reliability capacity"),
    (
        Bits::LESS,
        "churn latency downtime spend spending waste turnover attrition absenteeism rework",
    ),
    (Bits::LESS, "time overtime effort backlog debt noise traffic-jams overhead"),
    (
        Bits::UNIT,
        "ms kb mb gb tb km kg percent pct usd eur gbp dollars euros pounds k m bn x kw mw",
    ),
    (Bits::UNIT, "basis hz mph kph sqft cm mm"),
    (Bits::PEOPLE, "people staff men women children crew personnel folks others"),
    (Bits::ACTOR, "staff everyone management leadership marketing engineering software training"),
];

/// Nouns with a regular plural.
pub(super) const COUNTED: &[(Bits, &str)] = &[
    (Bits::PRIVATE, PRIVATE_THINGS),
    (Bits::LEISURE, LEISURE_THINGS),
    (
        Bits::MORE,
        "sale conversion profit margin rating score signup subscription booking order lead",
    ),
    (
        Bits::MORE,
        "view click download install referral review renewal grade donation follower user",
    ),
    (Bits::MORE, "customer client rate yield output relationship partnership enrolment"),
    (
        Bits::LESS,
        "cost expense error bug defect complaint incident outage failure delay ticket risk",
    ),
    (
        Bits::LESS,
        "accident injury return refund mistake alert crash timeout escalation claim queue",
    ),
    (Bits::LESS, "duplicate expenditure wait bottleneck conflict issue problem call-out vacancy"),
    (Bits::UNIT, "point query request call page file row record service server line test release"),
    (
        Bits::UNIT,
        "deploy ticket order item session site store shop market country region lead deal",
    ),
    (
        Bits::UNIT,
        "dollar euro pound penny cent mile meter metre kilometre gram litre unit euro byte",
    ),
    (
        Bits::PERIOD,
        "second minute hour day week month quarter year sprint semester term shift weekend",
    ),
    (Bits::PEOPLE, "person engineer developer nurse teacher student customer client user employee"),
    (
        Bits::PEOPLE,
        "colleague member volunteer designer analyst manager report patient visitor guest",
    ),
    (
        Bits::PEOPLE,
        "teammate agent tester intern contractor stakeholder participant attendee driver",
    ),
    (Bits::ACTOR, "team group department plan system strategy process program programme project"),
    (
        Bits::ACTOR,
        "workshop campaign initiative solution approach policy tool change effort session",
    ),
    (Bits::ACTOR, "design feature product platform service app application website model feedback"),
    (Bits::ACTOR, "meeting event customer client user employee company organisation organization"),
    (
        Bits::ACTOR,
        "measure method framework dashboard report audit analysis schedule upgrade update",
    ),
    (
        Bits::ACTOR,
        "relationship partnership guide procedure guideline fix patch migration test release",
    ),
];

/// Words of one field: whoever is asked about one of them may answer with another.
pub(super) const FIELDS: &[&str] = &[
    "conflict disagree disagreement argument argue dispute clash tension",
    "lead leader leadership manage led managing charge captain head",
    "team teammate colleague group together collaborate members",
    "weakness weak improve change shortcoming struggle",
    "strength strong best good",
    "fail failure mistake wrong error failed failing",
    "hard difficult challenge challenging tough problem solve solved fix error failure slow late",
    "problem trouble issue outage bug crash lost lose broken broke delay complaint stuck missing",
    "background born grew studied degree school experience career",
    "hire fit candidate role job skills",
    "pressure deadline stress urgent tight",
    "learn learned lesson taught study",
    "decision decide decided chose choice choose",
    "project built build system product",
    "customer client user guest patient",
    "proud achievement accomplish accomplishment success award",
    "goal objective target aim",
    "data metric measure number analysis",
    "feedback review criticism advice",
    "priority prioritise prioritize urgent order plan",
];

const PRIVATE: &str = "\
    weather sunshine rainy sunny snowy sunbathing seaside autumn breakfast spaghetti \
    homework knitting gardening fishing surfing skiing camping hiking jogging yoga football \
    soccer baseball basketball tennis cricket golf chess netflix kitties goldfish fur karaoke \
    puppies canaries ponies leek leeks strawberries blueberries raspberries cherries \
    grandchildren babies";

const PRIVATE_THINGS: &str = "\
    cat dog puppy kitten hamster canary parrot turtle pony pet mom mum mummy dad daddy \
    grandmother grandma grandfather grandpa granddaughter grandson aunt uncle cousin niece nephew \
    girlfriend boyfriend birthday hobby soup pancake cake pizza cookie croissant \
    sandwich barbecue beach guitar piano violin sofa couch balcony backyard bedroom lawn sunset \
    rainbow snowman playlist tattoo horoscope daydream sandcastle \
    picnic donut muffin strawberry blueberry sweater pyjama";

const LEISURE: &str = "\
    saturday sunday saturdays sundays summer winter spring lovely pretty favourite favorite \
    delicious tasty cosy cozy rain rained raining snow snowed sun ate eat eats eating slept sleep \
    sleeps cooking baking singing dancing sang danced relaxing furniture vacation \
    afternoon childhood sand maple homemade wife husband";

const LEISURE_THINGS: &str = "\
    mother father brother sister son daughter garden kitchen garage movie song novel concert band \
    lake village castle holiday weekend colour color flower tree bird dinner lunch neighbour \
    neighbor match tail nap sauce recipe cup bike walk dress shoe";
