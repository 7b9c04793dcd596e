//! Skills and tools by name, over many trades. A skill is found by whole words: "go" is not in
//! "google".
//!
//! Entries stand between bars, aliases behind equals signs, the name that is shown first. A `!`
//! before a name says that it is an everyday word too: it counts only with a capital letter, inside
//! a list or a sentence.

use std::collections::HashMap;

use crate::insight::text::{Document, Mark};

/// The list. Our own, written for the trades that interviews are held in.
const SKILLS: &[&str] = &[
    // Software.
    "Python|Java|JavaScript=js|TypeScript=ts|!Rust|!Go=golang|C++=cpp|C#=csharp|Ruby|PHP|Kotlin|\
     Scala|!Swift|Objective-C|Perl|Haskell|Elixir|Erlang|Clojure|Lua|MATLAB|Fortran|COBOL|\
     Visual Basic=vba|Bash=shell scripting|PowerShell|SQL|HTML|CSS=css3|Sass|GraphQL|REST=rest api",
    "!React=reactjs=react.js|Angular=angularjs|Vue=vue.js=vuejs|Svelte|Next.js=nextjs|\
     Node.js=node=nodejs|Django|Flask|FastAPI|Rails=ruby on rails|Laravel|!Spring=spring boot|\
     .NET=dotnet=asp.net|jQuery|Tailwind|WordPress|Drupal|Shopify|Magento",
    "PostgreSQL=postgres|MySQL|MariaDB|SQLite|Oracle Database=oracle db|SQL Server=mssql|MongoDB|\
     Redis|Cassandra|DynamoDB|Elasticsearch=elastic search|Neo4j|Snowflake|BigQuery|Redshift|\
     Databricks|Kafka=apache kafka|RabbitMQ|Hadoop|Spark=apache spark|Airflow|dbt|ClickHouse",
    "AWS=amazon web services|Azure|Google Cloud=gcp|Kubernetes=k8s|Docker|Terraform|Ansible|!Chef|\
     Puppet|Jenkins|GitHub Actions|GitLab|Git|CI/CD=continuous integration=continuous delivery|\
     Linux|Unix|Windows Server|Active Directory|VMware|Prometheus|Grafana|Datadog|Splunk|Nginx|\
     Helm|Istio|OpenShift|Serverless|Microservices=microservice",
    "Machine learning=ml|Deep learning|Natural language processing=nlp|Computer vision|TensorFlow|\
     PyTorch|scikit-learn=sklearn|pandas|NumPy|R=!r|Statistics|A/B testing=ab testing|Tableau|\
     Power BI=powerbi|Looker|Data modelling=data modeling|Data warehousing=data warehouse|ETL|\
     Data analysis|Data visualisation=data visualization|Forecasting",
    "System design|API design|Unit testing|Test automation|Selenium|Cypress|Playwright|Debugging|\
     Code review|Performance tuning|Load testing|Penetration testing=pen testing|Cryptography|\
     Network security|Incident response|Firewalls=firewall|OAuth|Embedded systems|FPGA|PLC|SCADA|\
     Robotics|Blockchain|iOS|Android|Flutter|Unity|Game design",
    // Ways of working.
    "Agile|Scrum|Kanban|!Lean|Six Sigma|PRINCE2|PMP|Project management|\
     Programme management=program management|Product management|Change management|\
     Risk management|Stakeholder management|\
     Budgeting=budget planning|Procurement|Negotiation=negotiating|Contract management|\
     Vendor management=supplier management|Business analysis|Requirements analysis|\
     Roadmaps=roadmap|\
     OKR=okrs|Strategy|Process improvement|Quality assurance=qa|Quality management|ISO 9001|\
     Root cause analysis|Auditing=internal audit|Compliance|GDPR=data protection",
    "Leadership|People management|Mentoring|Coaching|Recruiting=recruitment|Onboarding|Training|\
     Performance reviews|Conflict resolution|Public speaking|Presentations|Technical writing|\
     Copywriting|Editing|Translation|Facilitation|Workshops|Interviewing|Scheduling=rota planning|\
     Team building|Succession planning|Payroll|Employment law=labour law|HR administration",
    // Office.
    "!Excel=microsoft excel=ms excel|!Word=microsoft word=ms word|PowerPoint|Outlook|!Access=ms \
     access|SharePoint|Google Sheets|Jira|Confluence|!Slack|Trello|Asana|Notion|Salesforce|HubSpot|\
     SAP=sap r/3|Oracle ERP|Dynamics 365|NetSuite|Workday|ServiceNow|Zendesk|QuickBooks|DATEV|Sage|\
     Xero|Photoshop|Illustrator|InDesign|Figma|Sketch=!sketch|AutoCAD|SolidWorks|CATIA|Revit|\
     SketchUp|\
     Blender|Premiere Pro|Final Cut|After Effects|Touch typing|Minute taking|Data entry|Filing",
    // Trade, finance, law.
    "Sales|Account management|Key account management|Cold calling|Lead generation|CRM|\
     Customer service|Customer success|Retail|Merchandising|Visual merchandising|Point of sale=pos|\
     Cash handling=till|Stock control=inventory management=stocktaking|Pricing|Marketing|SEO|SEM|\
     Google Analytics|Google Ads=adwords|Social media|Email marketing|Content marketing|Branding|\
     Market research|Event management=event planning|Public relations|Fundraising",
    "Accounting|Bookkeeping|Financial analysis|Financial modelling=financial modeling|IFRS|GAAP|\
     Tax=tax returns|Month-end closing=month end closing|Accounts payable|Accounts receivable|\
     Credit control|Cash flow|Treasury|Controlling|Cost accounting|Valuation|Underwriting|\
     Claims handling|Anti-money laundering=aml|Contract law|Litigation|Legal research|Conveyancing",
    // Health, care, teaching.
    "Patient care|Wound care|Medication administration|Triage|Intensive care=icu|Midwifery|\
     Phlebotomy=blood draws|Vital signs|First aid|CPR|Basic life support=bls|Advanced life \
     support=acls|Palliative care|Dementia care|Paediatrics=pediatrics|Infection control|\
     Patient records=electronic health records=ehr|Radiography|Ultrasound|Physiotherapy|\
     Occupational therapy|Counselling=counseling|Social work|Safeguarding|Care planning=care plans|\
     Pharmacology|Dispensing|Laboratory work=lab work|PCR|Clinical trials",
    "Teaching|Lesson planning|Classroom management|Curriculum design=curriculum development|\
     Special needs education|Early years|Tutoring|E-learning=elearning|Moodle|Assessment design|\
     Childcare|Youth work|Library management|Cataloguing=cataloging|Sign language|Research|\
     Academic writing|Grant writing",
    // Crafts, food, transport, building, land.
    "Cooking|Baking|Pastry|Menu planning|Food safety=haccp|Barista|Waiting tables|Bartending|\
     Wine service|Catering|Housekeeping|Front desk=reception|Revenue management|Butchery",
    "Carpentry|Joinery|Plumbing|Electrical installation=wiring|Welding|MIG welding|TIG welding|\
     Bricklaying|Plastering|Roofing|Painting|Tiling|Scaffolding|Surveying|Site management|\
     Health and safety=occupational safety|CNC=cnc machining|Milling|Turning|Lathe|Soldering|\
     3D printing|Hydraulics|Pneumatics|HVAC|Machine maintenance=preventive maintenance|\
     Vehicle repair|Upholstery|Sewing|Tailoring|Glazing",
    "Forklift=forklift licence=fork lift|HGV=class 1 licence|Truck driving|Bus driving|Dispatching|\
     Route planning|Warehouse management=wms|Order picking|Logistics|Supply chain=supply chain \
     management|Customs=customs clearance|Freight forwarding|Import and export|Fleet management|\
     Dangerous goods=adr|Crane operation|Air traffic control|Flight planning",
    "Gardening|Landscaping|Forestry|Chainsaw|Farming|Animal care|Dairy farming|Beekeeping|\
     Irrigation|Veterinary nursing|Cleaning|Security=site security|Firefighting|Life guarding",
    // Languages that people speak.
    "English|German|French|Spanish|Italian|Portuguese|Dutch|Polish|Russian|Ukrainian|Turkish|\
     Arabic|Hebrew|Hindi|Mandarin=chinese|Japanese|Korean|Vietnamese|Swedish|Norwegian|Danish|\
     Finnish|Greek|Czech|Hungarian|Romanian",
];

/// All names and aliases by their first word.
#[derive(Debug)]
pub(in crate::insight) struct Skills {
    names: Vec<&'static str>,
    by_first: HashMap<String, Vec<Alias>>,
}

#[derive(Debug)]
struct Alias {
    /// The words after the first one.
    rest: Vec<String>,
    skill: usize,
    /// Needs a capital letter.
    everyday: bool,
    /// Signs that must follow, for instance the two of "C++".
    signs: &'static str,
}

/// A skill in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::insight) struct Hit {
    /// Which: the number of its name.
    pub(in crate::insight) skill: usize,
    /// First token.
    pub(in crate::insight) first: usize,
    /// One past its last token.
    pub(in crate::insight) end: usize,
}

/// Skills that are found in one text: a CV names dozens.
const HITS_MAX: usize = 1_000;

impl Skills {
    /// Reads the list.
    pub(in crate::insight) fn new() -> Skills {
        let mut skills = Skills { names: Vec::new(), by_first: HashMap::new() };
        for entry in SKILLS.iter().flat_map(|line| line.split('|')) {
            let mut names = entry.split('=').map(str::trim);
            let shown = names.clone().next().unwrap_or_default().trim_start_matches('!');
            let skill = skills.names.len();
            skills.names.push(shown);
            names.by_ref().for_each(|name| skills.add(name, skill));
        }
        skills
    }

    /// The name that is shown.
    pub(in crate::insight) fn name(&self, skill: usize) -> &'static str {
        self.names.get(skill).copied().unwrap_or_default()
    }

    fn add(&mut self, name: &'static str, skill: usize) {
        let everyday = name.starts_with('!');
        let name = name.trim_start_matches('!');
        let bare = name.trim_end_matches(['+', '#']);
        let signs = &name[bare.len()..];
        let mut words = bare
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase);
        let Some(first) = words.next() else { return };
        // A single letter, and "C" without its signs, is too little without a capital.
        let everyday = everyday || first.len() == 1;
        let alias = Alias { rest: words.collect(), skill, everyday, signs };
        self.by_first.entry(first).or_default().push(alias);
    }

    /// The skills in a text, in reading order, the longest name at each place.
    pub(in crate::insight) fn find(&self, document: &Document, text: &str) -> Vec<Hit> {
        let chars: Vec<char> = text.chars().collect();
        let mut hits = Vec::new();
        let mut at = 0;
        while at < document.tokens.len() && hits.len() < HITS_MAX {
            let all = self.by_first.get(document.fold_at(at)).into_iter().flatten();
            let best = all
                .filter(|alias| fits(document, &chars, at, alias))
                .max_by_key(|alias| (alias.rest.len(), alias.signs.len()));
            match best {
                Some(alias) => {
                    let end = at + 1 + alias.rest.len();
                    hits.push(Hit { skill: alias.skill, first: at, end });
                    at = end;
                }
                None => at += 1,
            }
        }
        hits
    }
}

fn fits(document: &Document, chars: &[char], at: usize, alias: &Alias) -> bool {
    let end = at + 1 + alias.rest.len();
    if end > document.tokens.len() {
        return false;
    }
    let same = alias.rest.iter().enumerate().all(|(n, word)| document.fold_at(at + 1 + n) == word);
    let apart = document.tokens[at..end - 1].iter().any(|token| token.after >= Mark::Comma);
    let behind = document.tokens[end - 1].to as usize;
    let signed =
        alias.signs.chars().enumerate().all(|(n, sign)| chars.get(behind + n) == Some(&sign));
    // "C" is not in "C++", nor "R" in "R&D".
    let single = document.fold_at(at).len() == 1 && alias.rest.is_empty();
    let cut = single
        && alias.signs.is_empty()
        && matches!(chars.get(behind), Some('+' | '#' | '&' | '.' | '\''));
    same && !apart && signed && !cut && (!alias.everyday || named(document, at))
}

/// Written with a capital letter that no beginning of a sentence explains, or in a list.
fn named(document: &Document, at: usize) -> bool {
    let token = &document.tokens[at];
    if !token.capital {
        return false;
    }
    let before = at.checked_sub(1).map_or(Mark::Line, |before| document.tokens[before].after);
    let listed = matches!(token.after, Mark::Comma | Mark::Joint)
        || matches!(before, Mark::Comma | Mark::Break | Mark::Joint | Mark::Sign);
    // An item that has a line of its own is a list too.
    let alone = before >= Mark::Stop && token.after >= Mark::Stop;
    listed || alone || before < Mark::Stop
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn found(text: &str) -> Vec<&'static str> {
        let skills = Skills::new();
        let document = Document::read(&Lexicon::new(), text);
        skills.find(&document, text).iter().map(|hit| skills.name(hit.skill)).collect()
    }

    #[test]
    fn skills_are_whole_words() {
        assert_eq!(found("I worked at Google on search."), Vec::<&str>::new());
        assert_eq!(
            found("We let go of the excellent wordsmith; nobody could excel."),
            Vec::<&str>::new()
        );
        assert_eq!(found("I wrote the service in Go and Rust."), ["Go", "Rust"]);
        assert_eq!(found("The rust on the gate had to go."), Vec::<&str>::new());
    }

    #[test]
    fn aliases_lead_to_one_name() {
        assert_eq!(
            found("k8s, postgres and CI/CD with Node.js"),
            ["Kubernetes", "PostgreSQL", "CI/CD", "Node.js"]
        );
        assert_eq!(found("C++, C# and .NET"), ["C++", "C#", ".NET"]);
        assert_eq!(found("Forklift licence since 2014, HACCP"), ["Forklift", "Food safety"]);
        assert_eq!(found("R, Excel, Word"), ["R", "Excel", "Word"]);
        assert_eq!(found("head of R&D"), Vec::<&str>::new());
    }

    #[test]
    fn the_list_is_long_enough_and_has_no_name_twice() {
        let skills = Skills::new();
        assert!(skills.names.len() >= 400, "{}", skills.names.len());
        let mut names: Vec<String> = skills.names.iter().map(|name| name.to_lowercase()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
