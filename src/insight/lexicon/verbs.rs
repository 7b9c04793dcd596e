//! Verbs with their forms: work that somebody does, changes that come of it, parts in others' work.

use super::Bits;

/// The forms of one verb.
pub(super) struct Forms {
    /// To trace.
    pub(super) base: String,
    /// Traces.
    pub(super) third: String,
    /// Traced.
    pub(super) past: String,
    /// Traced; taken.
    pub(super) participle: String,
    /// Tracing.
    pub(super) ing: String,
}

/// `base`, `base+` (doubles its last consonant), `base:past` or `base:past:participle`.
pub(super) const LISTS: &[(Bits, &str)] = &[
    (Bits::ACTION, WORK),
    (Bits::ACTION, SPEECH_AND_CARE),
    (Bits::ACTION.or(Bits::EVERYDAY), PLAIN_WORK),
    (
        Bits::UP,
        "increase rise:rose:risen grow:grew:grown climb expand double triple quadruple surge",
    ),
    (Bits::DOWN, FALLS),
    (Bits::DOWN.or(Bits::ACTION), "reduce cut:cut trim+ minimise minimize eliminate slash"),
    (Bits::UP.or(Bits::ACTION), "raise boost"),
    (Bits::GAIN, GAINS),
    (Bits::GAIN.or(Bits::ATTAIN), ATTAINMENTS),
    (Bits::GAIN.or(Bits::ACTION), "save secure recover retain attract generate"),
    (Bits::REQUEST, "ask request require demand want need announce assign tell:told expect insist"),
    (Bits::LOSS, LOSSES),
    (Bits::HELP, "help assist support participate contribute observe shadow attend"),
    (Bits::EVERYDAY, EVERYDAY),
];

const WORK: &str = "analyse analyze approach arrange assemble assess assign audit automate \
    benchmark brief budget calculate calibrate centralise centralize certify clarify classify \
    coach code compile compose conceive conduct configure consolidate construct consult contact \
    coordinate craft cultivate curate debug+ define delegate deploy deprecate design develop \
    devise diagnose direct distribute divide document draft edit engineer engage enforce \
    enrol+ enroll establish estimate evaluate examine execute experiment export extend extract \
    facilitate file finalise finalize formulate forecast gather guide hire host identify \
    illustrate implement import index inspect install instrument integrate interview introduce \
    investigate isolate iterate launch lead:led map+ mentor merge migrate model moderate modify \
    monitor negotiate normalise normalize onboard optimise optimize orchestrate organise organize \
    outline outsource overhaul oversee:oversaw:overseen own package partner patch persuade pilot \
    pioneer pitch plan+ prepare present prioritise prioritize process procure produce profile \
    program+ programme project propose prototype provision publish purchase rebuild:rebuilt \
    reconcile record recruit redesign redirect refactor refine reformat+ refresh renegotiate \
    reorganise reorganize repair replace replicate report reproduce research reschedule resolve \
    restructure retrain reverse review revise rewrite:rewrote:rewritten roll rotate sample \
    schedule scope script segment shard simplify sketch source split:split stabilise stabilize \
    standardise standardize steer:steered streamline structure study supervise survey swap+ \
    synthesise synthesize tackle tailor teach:taught trace track train transform translate \
    troubleshoot:troubleshot tune update upgrade validate verify visit visualise visualize \
    write:wrote:written spearhead champion systematise systematize containerise containerize \
    bundle escalate rehearse paginate denormalise denormalize cache profile rotate sequence";

const SPEECH_AND_CARE: &str = "\
    accompany acknowledge address adjust administer advise advocate agree alert allocate \
    announce apologise apologize appoint approve ask balance bring:brought calm call canvass \
    check clean collaborate collect communicate compare connect consider convince correct create \
    decide delay demonstrate discuss dispatch diversify drive:drove:driven email emphasise \
    emphasize encourage explain explore fix focus follow form frame handle inform initiate \
    inventory invest invite involve learn listen locate maintain make:made manage measure \
    mediate meet:met motivate close offer open order pack pair park phone post practise practice \
    press propose protect pull push qualify question read:read rearrange recommend reflect \
    remind remove reply request respond restock restore run:ran:run search select sell:sold \
    send:sent separate serve set:set share ship+ shift shorten show:showed:shown sign solicit \
    solve sort specify staff start stop+ submit suggest switch tell:told test throw:threw:thrown \
    touch transfer treat triage trigger turn tutor unify use volunteer walk warn";

/// Verbs of work that are also said about anything at all.
const PLAIN_WORK: &str = "add build:built choose:chose:chosen pick buy:bought change move put:put \
    speak:spoke:spoken talk take:took:taken try give:gave:given do:did:done hold:held keep:kept \
    find:found break:broke:broken draw:drew:drawn";

const FALLS: &str = "decrease fall:fell:fallen drop+ shrink:shrank:shrunk halve lower lessen dip+ \
    disappear vanish cease stop+";

const GAINS: &str = "\
    improve accelerate enhance strengthen boost deliver enable ensure benefit prevent avoid \
    restore reward praise promote adopt streamline renew applaud commend thank congratulate \
    satisfy recognise recognize resolve";

/// What somebody reaches, as against what somebody does.
const ATTAINMENTS: &str = "\
    achieve exceed succeed outperform surpass overcome:overcame gain receive earn win:won attain \
    accomplish complete finish pass reach hit:hit";

const LOSSES: &str = "\
    struggle lack face fail decline suffer lose:lost miss complain crash break:broke:broken \
    worsen deteriorate stall collapse leak lag+ threaten escalate plummet stagnate quit:quit \
    slip+ disappoint overrun:overran";

const EVERYDAY: &str = "\
    be:was:been have:had go:went:gone come:came:come get:got say:said see:saw:seen \
    know:knew:known think:thought want like love feel:felt look need live play happen seem \
    mean:meant let+:let believe hope wish enjoy leave:left stay wait sit:sat stand:stood \
    eat:ate:eaten sleep:slept watch hear:heard remember forget:forgot:forgotten \
    understand:understood guess suppose care worry end begin:began:begun become:became:become \
    happen spend:spent pay:paid cost:cost matter exist appear remain continue live die kill \
    laugh cry smile hate bother expect realise realize work join";

/// All forms of a list entry.
pub(super) fn forms(entry: &str) -> Forms {
    let mut parts = entry.split(':');
    let first = parts.next().unwrap_or_default();
    let base = first.trim_end_matches('+');
    let stem = match first.ends_with('+') {
        true => format!("{base}{}", &base[base.len() - 1..]),
        false => base.to_owned(),
    };
    let past = parts.next().map_or_else(|| regular_past(base, &stem), str::to_owned);
    let participle = parts.next().map_or_else(|| past.clone(), str::to_owned);
    Forms {
        base: base.to_owned(),
        third: third_person(base),
        past,
        participle,
        ing: ing_form(base, &stem),
    }
}

/// The form in -s of a verb, which is also the plural of a regular noun.
pub(super) fn third_person(base: &str) -> String {
    if ["s", "x", "z", "ch", "sh", "o"].iter().any(|ending| base.ends_with(ending)) {
        return format!("{base}es");
    }
    match base.strip_suffix('y') {
        Some(start) if !start.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{start}ies"),
        _ => format!("{base}s"),
    }
}

fn regular_past(base: &str, stem: &str) -> String {
    if base.ends_with('e') {
        return format!("{base}d");
    }
    match base.strip_suffix('y') {
        Some(start) if !start.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{start}ied"),
        _ => format!("{stem}ed"),
    }
}

fn ing_form(base: &str, stem: &str) -> String {
    match base.strip_suffix('e') {
        Some(start) if !base.ends_with("ee") && base.len() > 2 => format!("{start}ing"),
        _ => format!("{stem}ing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_spelt_as_in_english() {
        let all = |entry| {
            let f = forms(entry);
            [f.base, f.third, f.past, f.participle, f.ing].join(" ")
        };
        assert_eq!(all("trace"), "trace traces traced traced tracing");
        assert_eq!(all("plan+"), "plan plans planned planned planning");
        assert_eq!(all("try"), "try tries tried tried trying");
        assert_eq!(all("write:wrote:written"), "write writes wrote written writing");
        assert_eq!(all("oversee:oversaw:overseen"), "oversee oversees oversaw overseen overseeing");
        assert_eq!(all("fix"), "fix fixes fixed fixed fixing");
        assert_eq!(all("deploy"), "deploy deploys deployed deployed deploying");
    }
}
