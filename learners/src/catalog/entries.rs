//! What people are told of each learner.

use features::Task;

use super::{Entry, ParamInfo};

const BOTH: &[Task] = &[Task::Classification, Task::Regression];
const CLASSES: &[Task] = &[Task::Classification];
const VALUES: &[Task] = &[Task::Regression];

const RATE: ParamInfo =
    ParamInfo { name: "rate", range: "0.0001..100", default: "0.4; 0.1 for a net", help: "length of a step" };
const LABELS: ParamInfo = ParamInfo {
    name: "labels",
    range: "false, true",
    default: "false",
    help: "whether what is known of the labels is an input",
};
const AIM: ParamInfo = ParamInfo {
    name: "aim",
    range: "target, change",
    default: "target",
    help: "what is predicted, for regression: the target, or its change since the last one known",
};
const PAIRS: ParamInfo =
    ParamInfo { name: "pairs", range: "false, true", default: "false", help: "whether pairs are inputs too" };
const KEEP: ParamInfo = ParamInfo {
    name: "keep",
    range: "0.5..1",
    default: "0.999; 0.9998 for cosines",
    help: "what is kept of the past at every event",
};

/// Every learner, in the order people read them.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "auto",
        tasks: BOTH,
        idea: "many small models of different kinds, and the best weighing of them at any time",
        cost: "classification 58 µs an event with 8 columns, 116 µs with 33 and 6 classes (cheap: 6 and 21 µs), 0.5 to 1 MB; regression 80 to 250 µs, 1 to 3 MB",
        paper: "Wolpert 1992, Herbster & Warmuth 1998, Hazan et al. 2007",
        params: &[ParamInfo {
            name: "budget",
            range: "normal, cheap, rich",
            default: "normal",
            help: "how many members it has",
        }],
    },
    Entry {
        name: "label_chain",
        tasks: CLASSES,
        idea: "a Markov chain over the labels known",
        cost: "about 0.3 µs an event; 8 bytes a class and row of counts",
        paper: "-",
        params: &[
            ParamInfo { name: "order", range: "0..2", default: "1", help: "labels looked back at" },
            ParamInfo {
                name: "keep",
                range: "0..1",
                default: ".99, .998, .999 by order",
                help: "what counts keep when others come",
            },
        ],
    },
    Entry {
        name: "softmax",
        tasks: CLASSES,
        idea: "softmax regression with adaptive steps, on request with what is known of the labels",
        cost: "about 0.5 µs an event with 8 columns; 8 bytes a weight",
        paper: "Duchi et al. 2011",
        params: &[RATE, LABELS],
    },
    Entry {
        name: "newton",
        tasks: CLASSES,
        idea: "softmax regression of second order",
        cost: "0.6 µs an event with 8 columns, 2·D² operations; 4·D² bytes for D inputs",
        paper: "Hazan et al. 2007",
        params: &[KEEP, PAIRS],
    },
    Entry {
        name: "cosines",
        tasks: CLASSES,
        idea: "softmax regression of second order on random cosines, near a Gaussian kernel",
        cost: "about 20 µs an event; 110 KB and more",
        paper: "Rahimi & Recht 2007",
        params: &[ParamInfo { name: "count", range: "1..1000", default: "150", help: "cosines" }, KEEP],
    },
    Entry {
        name: "neural_net",
        tasks: BOTH,
        idea: "a layer of 32 tanh units beside a linear model",
        cost: "1 to 4 µs an event; 256 bytes an input and more",
        paper: "Rumelhart et al. 1986, Duchi et al. 2011",
        params: &[RATE, LABELS, AIM],
    },
    Entry {
        name: "knn",
        tasks: BOTH,
        idea: "the nearest of the newest rows vote",
        cost: "up to window · D / 4 operations an event, 20 to 60 µs by default; 4 · window · D bytes",
        paper: "Cover & Hart 1967",
        params: &[
            ParamInfo { name: "neighbours", range: "1..1000", default: "5", help: "rows that vote" },
            ParamInfo { name: "window", range: "8..1000000", default: "5000", help: "rows kept" },
            AIM,
        ],
    },
    Entry {
        name: "rls",
        tasks: VALUES,
        idea: "least squares, solved anew at every event, with what is known of the targets among the inputs",
        cost: "2 to 4 µs an event with 14 columns, 2·D² operations; 4·D² bytes for D inputs",
        paper: "Plackett 1950",
        params: &[KEEP, AIM],
    },
    Entry {
        name: "seasonal_naive",
        tasks: VALUES,
        idea: "the value of one season ago",
        cost: "about 0.1 µs an event; 8 bytes an event of the season",
        paper: "Hyndman & Athanasopoulos 2018",
        params: &[ParamInfo {
            name: "period",
            range: "0..100000",
            default: "0",
            help: "events of a season; 0: the best of 7, 12, 24, 48, 96, 144, 168, 288",
        }],
    },
    Entry {
        name: "hashed",
        tasks: CLASSES,
        idea: "softmax regression on hashed categories and numbers",
        cost: "about 10 operations a category (or pair) and class; 8 bytes a class and row of its table, at most 2^18 rows",
        paper: "Weinberger et al. 2009",
        params: &[RATE, PAIRS],
    },
    Entry {
        name: "sparse",
        tasks: CLASSES,
        idea: "softmax regression on numbers that are mostly 0, not centred",
        cost: "about 10 operations a number (or pair) and class; 8 bytes a class and row of its table, at most 2^18 rows",
        paper: "Weinberger et al. 2009",
        params: &[RATE, PAIRS],
    },
    Entry {
        name: "no_change",
        tasks: BOTH,
        idea: "the last label again",
        cost: "a few ns an event, 24 bytes",
        paper: "Žliobaitė et al. 2015",
        params: &[],
    },
    Entry {
        name: "majority",
        tasks: CLASSES,
        idea: "the most frequent class so far",
        cost: "a few ns an event, 8 bytes a class",
        paper: "-",
        params: &[],
    },
    Entry {
        name: "mean",
        tasks: VALUES,
        idea: "the mean of the values so far",
        cost: "a few ns an event, 16 bytes",
        paper: "-",
        params: &[],
    },
    Entry {
        name: "linear",
        tasks: BOTH,
        idea: "logistic or linear regression, a step of its own for every weight",
        cost: "0.14 µs an event with 8 columns, 0.6 µs with 33 and 6 classes; 130 bytes a column",
        paper: "Duchi et al. 2011, Ross et al. 2013, Kulis & Bartlett 2010",
        params: &[
            ParamInfo {
                name: "rate",
                range: "0.0001..100",
                default: "0.5; 0.2 for regression",
                help: "length of a step",
            },
            ParamInfo {
                name: "memory",
                range: "10..1e12",
                default: "5000",
                help: "events after which old gradients no longer shorten the steps",
            },
        ],
    },
    Entry {
        name: "ftrl",
        tasks: BOTH,
        idea: "logistic or linear regression that keeps useless weights at 0",
        cost: "0.16 µs an event with 8 columns, 1.2 µs with 33 and 6 classes; 150 bytes a column",
        paper: "McMahan et al. 2013",
        params: &[
            ParamInfo {
                name: "alpha",
                range: "0.0001..100",
                default: "0.5; 0.2 for regression",
                help: "length of a step",
            },
            ParamInfo { name: "beta", range: "0.001..1000", default: "1", help: "slows the first steps" },
            ParamInfo { name: "l1", range: "0..1e6", default: "0", help: "keeps weights at 0 that are worth less" },
            ParamInfo { name: "l2", range: "0..1e6", default: "0", help: "draws weights to 0" },
        ],
    },
    Entry {
        name: "naive_bayes",
        tasks: CLASSES,
        idea: "a normal distribution per class and column, as if columns were independent",
        cost: "0.25 µs an event with 8 columns, 1.1 µs with 33 and 6 classes; 80 bytes a class and column",
        paper: "John & Langley 1995",
        params: &[],
    },
    Entry {
        name: "hoeffding_tree",
        tasks: BOTH,
        idea: "a decision tree that splits a leaf once it is sure of the best question",
        cost: "about 0.5 µs an event with 8 columns, 40 bytes a leaf, column and class",
        paper: "Domingos & Hulten 2000, Ikonomovska et al. 2011",
        params: &[
            ParamInfo { name: "grace", range: "1..1000000", default: "200", help: "weight between attempts to split" },
            ParamInfo { name: "confidence", range: "1e-12..0.5", default: "0.001", help: "risk of a wrong question" },
            ParamInfo { name: "tie", range: "0..1", default: "0.05", help: "bound below which near questions tie" },
            ParamInfo {
                name: "leaf",
                range: "nba, nb, mc; for regression adaptive, model, mean",
                default: "nba; adaptive",
                help: "what a leaf predicts by",
            },
            ParamInfo {
                name: "inherit",
                range: "true, false",
                default: "true",
                help: "whether children start with their share of what the leaf has seen",
            },
        ],
    },
    Entry {
        name: "srp",
        tasks: CLASSES,
        idea: "Hoeffding trees on columns and rows of their own, replaced where they drift",
        cost: "a tree's for each member",
        paper: "Gomes et al. 2019",
        params: &[
            ParamInfo { name: "members", range: "1..200", default: "10", help: "trees" },
            ParamInfo { name: "grace", range: "1..1000000", default: "50", help: "weight between attempts to split" },
            ParamInfo { name: "confidence", range: "1e-12..0.5", default: "0.01", help: "risk of a wrong question" },
        ],
    },
    Entry {
        name: "refit",
        tasks: BOTH,
        idea: "a model of a library fitted again and again to the newest rows, in the background",
        cost: "with 8 columns 0.1 µs to learn, 0.05 µs a tree to predict; a fit of 2,000 rows is 1 to 200 ms of another core",
        paper: "Breiman 2001, Zou & Hastie 2005",
        params: &[
            ParamInfo {
                name: "model",
                range: "random_forest, decision_tree, logistic; for regression elastic_net",
                default: "random_forest",
                help: "what is fitted",
            },
            ParamInfo { name: "window", range: "20..10000", default: "2000", help: "rows that it is fitted to" },
            ParamInfo { name: "every", range: "10..1000000", default: "1000", help: "rows from fit to fit" },
            ParamInfo {
                name: "lag",
                range: "0..every",
                default: "500, at most every",
                help: "rows from the start of a fit to the use of its model",
            },
            ParamInfo { name: "trees", range: "1..100", default: "10", help: "trees of the forest" },
            ParamInfo { name: "depth", range: "2..20", default: "12", help: "levels of a tree" },
            ParamInfo { name: "leaf", range: "3..1000", default: "5", help: "fewest rows in a leaf" },
            ParamInfo {
                name: "penalty",
                range: "1e-6..1000",
                default: "0.001",
                help: "how much large weights of a linear model cost",
            },
        ],
    },
];
