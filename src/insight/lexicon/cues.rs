//! Word sequences that rules look for. All of it is our own list, written from the rubric: what
//! people say when they set a scene, state a task, weigh options, name a cause, or decline to
//! answer.
//!
//! Words are lower case, apostrophes straight; the tokeniser folds answers the same way.

/// What a word sequence points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::insight) enum Cue {
    /// Sets the scene.
    Situation,
    /// States what had to be done.
    Task,
    /// Announces what came of it.
    Result,
    /// States an outcome by itself.
    Outcome,
    /// Says what was learned.
    Reflection,
    /// Names another way it could have been done.
    Alternative,
    /// Sets one thing against another; an alternative where something was chosen.
    Contrast,
    /// Names what the choice rested on.
    Criterion,
    /// Names what the choice cost.
    Cost,
    /// States the choice.
    Choice,
    /// Names what would turn the choice round.
    Reversal,
    /// Ties a cause to an effect.
    Causal,
    /// Ties an action to its effect; an outcome marker as well.
    Effect,
    /// A habit of speech that carries nothing.
    Tic,
    /// Says little where something exact could stand.
    Vague,
    /// Softens a statement.
    Hedge,
    /// Praises the speaker without evidence.
    Praise,
    /// Gives an action to somebody else, or names a part in it only.
    Attribution,
    /// Takes back or limits what was claimed.
    Retraction,
    /// Refuses to answer.
    Refusal,
    /// Says that the speaker does not know.
    Ignorance,
    /// Asks the question back.
    Clarification,
    /// Turns to something else instead of the question.
    Deflection,
    /// Corrects what the speaker said before.
    Correction,
    /// Compares with what was before.
    Baseline,
    /// Limits a claim to a stretch of time.
    Period,
}

/// Phrases by what they point at, separated by `|`.
pub(super) const LISTS: &[(Cue, &str)] = &[
    (Cue::Situation, SITUATION),
    (Cue::Task, TASK),
    (Cue::Result, RESULT),
    (Cue::Effect, EFFECT),
    (Cue::Outcome, OUTCOME),
    (Cue::Reflection, REFLECTION),
    (Cue::Alternative, ALTERNATIVE),
    (Cue::Contrast, CONTRAST),
    (Cue::Choice, CHOICE),
    (Cue::Criterion, CRITERION),
    (Cue::Cost, COST),
    (Cue::Reversal, REVERSAL),
    (Cue::Causal, CAUSAL),
    (Cue::Tic, TIC),
    (Cue::Vague, VAGUE),
    (Cue::Hedge, HEDGE),
    (Cue::Praise, PRAISE),
    (Cue::Attribution, ATTRIBUTION),
    (Cue::Retraction, RETRACTION),
    (Cue::Refusal, REFUSAL),
    (Cue::Ignorance, IGNORANCE),
    (Cue::Clarification, CLARIFICATION),
    (Cue::Deflection, DEFLECTION),
    (Cue::Correction, CORRECTION),
    (Cue::Baseline, BASELINE),
    (Cue::Period, PERIOD),
];

const SITUATION: &str = "\
    last year|last month|last week|last summer|last quarter|last spring|last winter|years ago|\
    months ago|weeks ago|a year ago|when i was|when i joined|when we were|at the time|\
    at that time|in my previous|in my last|in my current|in my role|at my previous|at my last|\
    at my current|in my first|during my|there was|there were|i was working|we were working|\
    i worked at|i worked as|i used to|we used to|one day|one time|back in|i joined|i graduated|\
    i studied|i moved to|i started at|i started as|in high school|in college|at university|\
    in university|the situation was|the problem was|the issue was|the context was|at first|\
    behind schedule|over budget|at risk|ran into|kept failing|kept breaking|was failing|\
    were failing|was struggling|were struggling|was losing|were losing|was facing|were facing|\
    had no|did not have|didn't have|was in the middle|had just|initially|was short|were short|\
    was about to|my sophomore year|my junior year|my senior year|my freshman year|\
    was under pressure|were under pressure|needed a|needed an";

const TASK: &str = "\
    my task|my job was|my role was|my responsibility|our task|i was responsible|\
    we were responsible|was asked to|were asked to|tasked with|was tasked|were tasked|i had to|\
    we had to|i needed to|we needed to|needed to be|had to be|my goal|our goal|the goal was|\
    the aim was|the objective was|my objective|was assigned|were assigned|was expected to|\
    were expected to|was supposed to|were supposed to|the challenge was|in charge of|i owned|\
    the deadline was|the requirement was|it was up to me|fell to me|it was my job|\
    was required to|were required to|must be done|the brief was|the task was";

const RESULT: &str = "\
    the result was|the results were|the outcome was|in the end|ultimately|eventually|\
    successfully|thanks to this|thanks to that|since then|by the end|the end result|\
    the impact was|to this day|afterwards|from then on|no longer|ever since|anymore|any more";

const EFFECT: &str = "\
    as a result|as a consequence|consequently|resulted in|resulting in|results in|led to|\
    leading to|which led|which meant|this meant|that meant|which allowed|this allowed|\
    that allowed|allowing us|allowed us|enabled us|which enabled|which helped|this helped|\
    that helped|which reduced|which increased|which improved|which saved|which cut|which made|\
    which brought|which raised|which gave|so that the";

const OUTCOME: &str = "\
    on time|on schedule|ahead of schedule|under budget|within budget|on budget|was a success|\
    was successful|were successful|a big success|positive feedback|good feedback|paid off|\
    went live|was promoted|got promoted|an award|first place|second place|without downtime|\
    no downtime|without incident|zero downtime|no complaints|was praised|were praised|\
    was adopted|were adopted|met the deadline|met our deadline|met their deadlines|\
    met our targets|hit our target|hit the target|was accepted|was satisfied|were satisfied|\
    was happy|were happy|was pleased|were pleased|was impressed|were impressed|signed off|\
    is still used|still in use|ran smoothly|went smoothly|broke even|earlier than planned|\
    sooner than planned|than expected|without a single|in half the time";

const REFLECTION: &str = "\
    i learned|i've learned|i learnt|we learned|learned that|learnt that|taught me|lesson|\
    lessons|looking back|in hindsight|in retrospect|next time|takeaway|would do differently|\
    do it differently|done differently|made me realize|made me realise|i realized|i realised|\
    since then i|now i always|i now always|if i did it again|if i could do it again|\
    what i took from|i came to understand";

const ALTERNATIVE: &str = "\
    alternative|alternatives|alternatively|could have|could also have|other option|\
    another option|options|option was|other approach|another approach|two approaches|\
    different approaches|considered|over the other|choice between|decide between|trade off|\
    trade offs|tradeoff|tradeoffs|pros and cons|compared to building|other ways|another way|\
    other possibility|weighed";

const CONTRAST: &str = "\
    instead of|rather than|versus|vs|either|as opposed to|in contrast to|on the other hand";

const CHOICE: &str = "\
    i chose|we chose|chose to|i decided|we decided|decided to|decided on|picked|opted|went with|\
    settled on|selected|i preferred|we preferred|the decision|my decision|we went for|\
    i went for|i choose|we choose|i prefer|my choice|i recommended";

const CRITERION: &str = "\
    because|since|based on|criteria|criterion|priority|most important|mattered|depends on|\
    depending on|cheaper|faster|simpler|safer|easier|more reliable|more important|less risky|\
    quicker|better suited|so that|in terms of|constraint|constraints|requirement|requirements|\
    the deciding factor|what mattered|against";

const COST: &str = "\
    downside|downsides|drawback|drawbacks|at the cost of|at the expense of|the cost was|\
    would have cost|cost more|gave up|giving up|sacrifice|sacrificed|sacrificing|the catch|\
    compromise|compromised|in exchange for|the price was|took longer|takes longer|dearer|\
    more expensive|harder to|the risk was|the risk of|we accepted|i accepted|we lost|more work|\
    slower but|less flexible|more complex|added complexity|trade off|trade offs|tradeoff|\
    tradeoffs|would lose|would cost|the penalty|had to give up|we would have lost";

const REVERSAL: &str = "\
    would have chosen|would have picked|would have gone|would reconsider|would switch|\
    would change my mind|had it been|if that changed|if it failed|if it fails|if we had|\
    if i had|if it had|if there had|unless|would choose differently|if the team|if the data|\
    if the traffic|if traffic|if demand|would revisit|if the load|if volume";

const CAUSAL: &str = "\
    because|because of|so that|therefore|thus|hence|due to|thanks to|that's why|that is why|\
    in order to|that way|which is why|the reason was|as i wanted|so i|so we|so they|so the|\
    owing to|caused by|the cause was|was the cause|for that reason";

const TIC: &str = "\
    you know|i mean|kind of|sort of|kinda|sorta|basically|literally|and stuff|or whatever|\
    stuff like that|things like that|or something|and all that|you see|i guess|whatnot";

const VAGUE: &str = "\
    and so on|and so forth|a lot|lots of|kind of|sort of|kinda|sorta|or so|stuff like that|\
    things like that|makes sense|make sense|or whatever|and everything|a bunch|a couple|\
    as needed|when needed|if needed|pretty much|good enough|ballpark|whatever works";

const HEDGE: &str = "\
    i think|i guess|i suppose|i believe|not sure|more or less|i feel like|a bit|a little|\
    tend to|at times|now and then|from time to time|in a way|to some extent|not always";

const PRAISE: &str = "\
    great addition|hard working|hard worker|team player|fast learner|quick learner|\
    best candidate|perfect fit|great fit|good fit|i am an expert|i'm an expert|rock star|\
    strong communicator|good communicator|great communicator|excellent communicator|world class|\
    thank you|thanks for|thanks a lot|many thanks|i am the best|i'm the best|hire me|\
    people person|natural leader|born leader|detail oriented|self starter|kind words|\
    right person|ideal candidate|i am very good|i'm very good|really good at|i pride myself|\
    i'm proud|i am proud|give it my all|hundred and ten percent|go getter|\
    than i am|born for|born to do|work ethic|proven track record|track record of|\
    high achiever|top performer|best of the best|second to none";

const ATTRIBUTION: &str = "\
    was set by|were set by|set by|handed me|handed to me|was told to|were told to|came from|\
    was given|were given|already defined|was already|were already|based on their|they decided|\
    someone else|somebody else|my manager decided|my boss decided|wasn't my|weren't my|\
    was not my|not mine|not my idea|involved in|took part in|was part of|were part of|\
    wait for them|waited for|wait to see|their direction|was done by|were done by|\
    was decided by|following orders|just did what|just followed|mostly followed|whatever they|\
    told me to|handled most|did most of|comes from|guidelines were|leadership handed|\
    waiting for direction|inherited|whatever was|there was already|there were already|\
    there was an existing|we had an existing|we used an existing|i used an existing|\
    we used the existing|i used the existing|we used existing|i used existing|used established|\
    followed best practices|followed the standard|followed the existing|worked within that|\
    relied on the existing|leaned on the existing|came with the|gave me the|provided me with|\
    part of how the team|standard for the";

const RETRACTION: &str = "\
    misread|misspoke|i haven't actually|haven't done|have not done|never done|not actually|\
    i exaggerated|wouldn't say|would not say|not really|don't always|do not always|\
    didn't always|not every time|that one client|only once|just once|not sure|don't spend|\
    don't usually|don't typically|don't really|didn't really|never really|haven't really|\
    not something i|nothing formal|not a big|wasn't a big|limited experience|\
    not much experience|no experience|more like|rarely|hardly ever|already in place|as is|\
    wasn't the one|was not the one|not very involved|wasn't very involved|wasn't involved|\
    informal|wasn't always|isn't always|not consistently|don't consistently|one time check|\
    didn't keep|not exactly|wasn't really|isn't really|less than i said|to be honest i didn't|\
    only superficially|best guess|never got to|never got around|made that up|made it up|\
    made those up|made that figure up|made that number up|made those figures up|\
    made those numbers up|take that back|take it back|was the team's|were the team's|was a guess|\
    is a guess|just a guess|a rough guess|not my number|not my figure|can't back that up|\
    cannot back that up|can't prove|cannot prove|no proof|no evidence|may be wrong|\
    might be wrong|could be wrong|may be off|might be off|overstated|overstating|exaggerating|\
    wasn't something i|was not something i|isn't something i|didn't invent|did not invent|\
    wasn't like i|didn't come up with|did not come up with|didn't design|did not design|\
    rather than reinventing|not from scratch|no formal|not a formal|not as a formal|\
    not true|wasn't true|isn't true|not accurate|never measured|did not measure|didn't measure|\
    haven't measured|weren't measured|wasn't measured|never tracked|did not track|didn't track|\
    haven't tracked|not mine to claim|can't take credit|cannot take credit";

const REFUSAL: &str = "\
    no comment|can't comment|cannot comment|won't comment|not comment|not going to comment|\
    not going to speculate|not going to discuss|not going to talk|not going to get into|\
    not going to answer|wasn't going to answer|won't answer|can't answer|cannot answer|\
    i'd rather not|i would rather not|prefer not to|decline to|i'll let|i will let|ask him|\
    ask them|ask her|can't say|cannot say|won't discuss|don't discuss|do not discuss|\
    don't want to get into|don't want to talk|don't want to answer|not at liberty|next question|\
    i'm not going to tell|won't tell|wait for him|wait for them|too early to|nothing to say|\
    i refuse|not prepared to|wouldn't want to speculate|won't speculate";

const IGNORANCE: &str = "\
    i don't know|i do not know|don't know the|no idea|not sure what|can't remember|\
    don't remember|do not remember|don't recall|do not recall|not aware of|not familiar|\
    i haven't seen|i haven't read|i have not seen|haven't had a chance|not had a chance|\
    haven't talked to|couldn't tell you|can't tell you|i'm not sure|i am not sure|\
    haven't been briefed|can't give you|i never heard|haven't heard|nothing comes to mind|\
    can't think of|cannot think of|really don't know|just don't know|have no idea";

const CLARIFICATION: &str = "\
    what do you mean|say that again|say it again|repeat the question|come again|didn't hear|\
    could you repeat|can you repeat|which one|are you asking|do you mean|\
    i don't understand the question|could you clarify|can you clarify|what was that";

const DEFLECTION: &str = "\
    that's a good question|that is a good question|the real question|first of all|look|\
    let me say|let me just say|i would say this|what i can tell you|what's important|it depends|\
    the important thing|the point is|my point is|more importantly";

const CORRECTION: &str = "\
    correction|i meant|what i meant|actually it was|sorry i mean|let me correct|i misspoke|\
    to be precise|i should say|rather i mean|no wait";

const BASELINE: &str = "\
    compared to|compared with|up from|down from|previously|instead of the|used to be|\
    used to take|than before|the year before|the month before|year over year|relative to|\
    versus the|against a|from a|quarter over quarter|beforehand|earlier figure";

const PERIOD: &str = "\
    per day|per week|per month|per year|per hour|per quarter|a day|a week|a month|a year|\
    every day|every week|every month|every year|each day|each week|each month|each year|\
    last year|last month|last quarter|that year|that quarter|the first year|annually|monthly|\
    weekly|daily|yearly|quarterly|year over year|month over month|overnight";
