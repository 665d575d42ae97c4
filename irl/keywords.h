/* Words that target languages keep for themselves (keywords.def). */
#ifndef KP_IRL_KEYWORDS_H
#define KP_IRL_KEYWORDS_H

enum kp_irl_language {
    KP_IRL_IN_C = 1,
    KP_IRL_IN_CPP = 2,
    KP_IRL_IN_JAVA = 4,
    KP_IRL_IN_PERL = 8,
    KP_IRL_IN_PYTHON = 16,
    KP_IRL_IN_ANY = 31
};

/* The languages that keep this word, or 0. */
unsigned kp_irl_keyword(const char *word);

#endif
