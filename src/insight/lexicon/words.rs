//! Grammar words and everyday words: what tells little by itself.

use super::Bits;

const F: Bits = Bits::FUNCTION;

/// Lists of words with what they are.
pub(super) const LISTS: &[(Bits, &str)] = &[
    (F.or(Bits::I), "i i'm i've i'd i'll"),
    (F.or(Bits::SELF), "me my mine myself"),
    (F.or(Bits::WE), "we we're we've we'd we'll us our ours ourselves"),
    (
        F.or(Bits::PRONOUN),
        "it this that these those they he she you them him her it's that's they're",
    ),
    (
        F.or(Bits::PRONOUN),
        "they've they'd they'll he's she's you're you've you'd you'll there here",
    ),
    (
        F.or(Bits::PRONOUN),
        "who which what whom whose its itself himself herself themselves yourself",
    ),
    (F.or(Bits::DETERMINER), "the a an my our your his her their its this that these those each"),
    (F.or(Bits::DETERMINER), "every any some no another both all"),
    (F.or(Bits::BE), "am is are was were be been being i'm it's that's we're they're he's she's"),
    (F.or(Bits::BE), "you're there's isn't aren't wasn't weren't ain't"),
    (F.or(Bits::HAVE), "have has had having i've we've they've you've hasn't haven't hadn't"),
    (F.or(Bits::DO), "do does did don't doesn't didn't doing done"),
    (F.or(Bits::MODAL), "can could will would shall should may might must cannot can't couldn't"),
    (
        F.or(Bits::MODAL),
        "won't wouldn't shouldn't mustn't i'd i'll we'd we'll they'd they'll you'd",
    ),
    (F.or(Bits::MODAL), "you'll he'd she'd he'll she'll it'll it'd that'd mightn't needn't"),
    (F.or(Bits::NOT), "not no never none nobody nothing without neither nor cannot hardly"),
    (F.or(Bits::NOT), "don't doesn't didn't won't wouldn't can't couldn't shouldn't isn't aren't"),
    (
        F.or(Bits::NOT),
        "wasn't weren't hasn't haven't hadn't ain't mustn't mightn't needn't nowhere",
    ),
    (Bits::FILLER, "um umm ummm uh uhh uhm er erm err ah ahh hmm hm mm mmm uhhuh mhm eh"),
    (F.or(Bits::PREPOSITION), "of in on at to for from by with about into over after before under"),
    (F.or(Bits::PREPOSITION), "between through during against within across among toward towards"),
    (F.or(Bits::PREPOSITION), "onto upon off out up down per via around near behind beyond since"),
    (F.or(Bits::PREPOSITION), "until till along despite except inside outside throughout as than"),
    (F.or(Bits::CONJUNCTION), "and or but so because if while when whereas although though unless"),
    (F.or(Bits::CONJUNCTION), "then where which that"),
    (F, "yes yeah yep okay ok oh well how why also too just only even still again once now not"),
    (F, "very much more most less least many few such same other own else rather quite almost"),
    (F, "already yet ever always often let's whether either both enough away back instead"),
    (F.or(Bits::PRONOUN), "everyone everybody someone somebody anyone anybody one ones"),
    (Bits::NUMBER, NUMBERS),
    (Bits::EVERYDAY, EVERYDAY_THINGS),
    (Bits::EVERYDAY, EVERYDAY_QUALITIES),
    (Bits::EVERYDAY.or(Bits::VAGUE), VAGUE),
    (Bits::EVERYDAY.or(Bits::HEDGE), HEDGES),
    (Bits::PRAISE, PRAISE),
    (Bits::PROBLEM, PROBLEM),
    (Bits::GOOD, GOOD),
    (Bits::ASK, ASK),
    (Bits::MONTH, MONTHS),
    (Bits::CHANGE, CHANGES),
    (Bits::ADVERB, ADVERBS),
    (Bits::REDUCER, REDUCERS),
];

const ADVERBS: &str = "\
    very really just also too only even still again quite almost already always often actually \
    basically well pretty now here there maybe probably usually sometimes ever yet rather much \
    more most so perhaps simply soon later eventually completely definitely totally literally \
    honestly obviously especially mostly mainly generally";

const REDUCERS: &str = "\
    usually generally typically normally mostly mainly largely often sometimes occasionally \
    tend tended just only merely simply basically";

const NUMBERS: &str = "\
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen \
    fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty \
    ninety hundred thousand million billion dozen half";

const EVERYDAY_THINGS: &str = "\
    thing things time times way ways day days week weeks month months year years man men woman \
    women person people guy guys boy girl kid kids child children family friend friends mother \
    father mom dad brother sister life home house room door work job place world country city \
    town school college class student students teacher name part side hand head eye face body \
    water food money book game music movie car street night morning evening afternoon today \
    tomorrow yesterday tonight hour minute moment end start beginning word words story idea \
    ideas question questions answer answers point points reason reasons fact case kind sort type \
    bit number lot group team company business office boss manager problem problems issue issues \
    situation experience skill skills goal goals project projects example examples help stuff \
    area areas level line order form change changes result results process system plan \
    opportunity position role background future past weekend hobby hobbies love fun luck truth \
    dream heart mind phone picture news party trip sun sky tree dog cat";

const EVERYDAY_QUALITIES: &str = "\
    good great nice bad better best worse worst big small large little long short high low old \
    new young early late fast slow hard easy easier harder happy sad sure right wrong true false \
    real whole different important main first last next second third able ready free full open \
    close possible interested interesting fine cool amazing awesome beautiful pretty funny crazy \
    wonderful perfect lovely excited tired sorry hot cold black white red blue green certain \
    clear simple together alone really actually probably maybe especially definitely certainly \
    exactly finally usually sometimes later soon ago away please thank thanks hello hi hey bye \
    top middle bottom left common general particular personal strong weak kind special hopefully \
    basically obviously honestly literally absolutely";

const VAGUE: &str = "stuff thing things something anything everything somehow somewhere whatever \
    etc various several lots really very good great nice awesome amazing cool fine bad basically \
    somewhat general generally overall okay super pretty totally literally kinda sorta wherever \
    whichever anyhow someday sometime";

const HEDGES: &str = "\
    maybe perhaps possibly probably might guess suppose somewhat usually typically generally \
    sometimes mostly mainly roughly often fairly seemingly apparently tend tends likely";

const PRAISE: &str = "excellent talented exceptional outstanding passionate hardworking motivated \
    dedicated brilliant gifted awesome incredible superb remarkable diligent dependable \
    trustworthy charismatic unique ideal perfect best great amazing fantastic expert impressive \
    proud confident ambitious enthusiastic driven";

const PROBLEM: &str = "\
    problem problems issue issues bug bugs outage outages failure failures error errors delay \
    delays conflict conflicts complaint complaints crisis bottleneck bottlenecks risk risks \
    shortage challenge challenges incident incidents dispute disputes gap gaps mistake mistakes \
    blocker blockers broken outdated inefficient inconsistent unclear unhappy overdue \
    understaffed overloaded slow manual legacy unreliable flaky confused confusing frustrated \
    dissatisfied stuck low poor weak unstable vulnerable disorganised disorganized fragmented \
    lacking insufficient limited late missing tight turnover churn downtime backlog deficit \
    disagreement tension bad difficult messy urgent unexpected unexpectedly unclear hostile";

const GOOD: &str = "\
    successful satisfied happy pleased impressed reliable stable productive effective efficient \
    secure accurate smooth seamless consistent profitable positive timely responsive aligned \
    confident safe healthy clean calm complete compliant punctual sustainable scalable robust \
    transparent organised organized motivated engaged grateful thrilled delighted relieved \
    effectively smoothly efficiently seamlessly reliably safely promptly consistently well \
    intact solved settled";

const ASK: &str = "\
    tell told describe description example examples give given time times talk share explain \
    question questions answer walk please kind sort type situation experience experiences think \
    thinking feel know say hear want like would could should interview job role position company \
    work worked working made make making quick quickly brief briefly moment hi hello thanks \
    thank appreciate love great curious mean means use used using get got go going way ways \
    thing things anything something people person someone look looking see let lets start take \
    took come came able really bit lot year years today now first next last main one two give \
    gave specific specifically detail details mr mrs ms president sir secretary minister";

const MONTHS: &str = "january february march april may june july august september october november \
    december monday tuesday wednesday thursday friday saturday sunday christmas spring summer \
    autumn winter quarter";

const CHANGES: &str = "\
    increase decrease reduction improvement growth decline drop rise fewer faster slower cheaper \
    higher lower less more gain saving savings times fold twice doubled tripled shorter longer \
    ahead under dearer growing increased decreased uplift";

/// The value of a number in letters, and whether it multiplies what stands before it.
pub(in crate::insight) fn small_number(word: &str) -> Option<(i64, bool)> {
    let units = NUMBERS.split_whitespace().position(|name| name == word)?;
    Some(match units {
        0..=20 => (units as i64, false),
        21..=27 => ((units as i64 - 18) * 10, false),
        28 => (100, true),
        29 => (1_000, true),
        30 => (1_000_000, true),
        31 => (1_000_000_000, true),
        32 => (12, true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_letters_have_their_values() {
        assert_eq!(small_number("seven"), Some((7, false)));
        assert_eq!(small_number("twenty"), Some((20, false)));
        assert_eq!(small_number("ninety"), Some((90, false)));
        assert_eq!(small_number("thousand"), Some((1_000, true)));
        assert_eq!(small_number("half"), None);
        assert_eq!(small_number("many"), None);
    }
}
