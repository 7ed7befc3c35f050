/*
 * words.c: see words.h. One row a word, folded: lower case, no accents. A row of two words is one
 * that its language splits. Everyday words are no danger here: read.c wants the whole line to be
 * understood.
 */
#include <config.h>

#include "command/words.h"

#include <stdbool.h>
#include <string.h>

static const struct word_row {
	const char *word;
	unsigned meanings;
} rows[] = {
    /* English */
    {"release", WORD_SEND},
    {"send", WORD_SEND},
    {"deliver", WORD_SEND | WORD_PASS},
    {"allow", WORD_ALLOW},
    {"hold", WORD_HOLD},
    {"forget", WORD_FORGET},
    {"pause", WORD_PAUSE}, /* French too */
    {"resume", WORD_RESUME},
    {"times", WORD_TIMES},
    {"lists", WORD_LISTS},
    {"list", WORD_LISTS},
    {"help", WORD_HELP}, /* Dutch too */
    {"all", WORD_ALL},
    {"everything", WORD_ALL},
    {"until", WORD_UNTIL},
    {"till", WORD_UNTIL},
    {"pass", WORD_PASS},
    {"and", WORD_AND},
    {"&", WORD_AND},
    {"+", WORD_AND},
    {"please", WORD_PLEASE},
    {"none", WORD_NONE},
    /* Dutch */
    {"stuur", WORD_SEND},
    {"zend", WORD_SEND},
    {"bezorg", WORD_SEND | WORD_PASS},
    {"bezorgen", WORD_SEND | WORD_PASS},
    {"vrijgeven", WORD_SEND},
    {"geef vrij", WORD_SEND},
    {"doorlaten", WORD_ALLOW | WORD_PASS},
    {"laat door", WORD_ALLOW | WORD_PASS},
    {"toestaan", WORD_ALLOW},
    {"sta toe", WORD_ALLOW},
    {"vasthouden", WORD_HOLD},
    {"houd vast", WORD_HOLD},
    {"hou vast", WORD_HOLD},
    {"vergeet", WORD_FORGET},
    {"vergeten", WORD_FORGET},
    {"pauze", WORD_PAUSE},
    {"pauzeer", WORD_PAUSE},
    {"pauzeren", WORD_PAUSE},
    {"hervat", WORD_RESUME},
    {"hervatten", WORD_RESUME},
    {"tijden", WORD_TIMES},
    {"lijsten", WORD_LISTS},
    {"hulp", WORD_HELP},
    {"alles", WORD_ALL}, /* German too */
    {"allemaal", WORD_ALL},
    {"tot", WORD_UNTIL},
    {"en", WORD_AND},
    {"alstublieft", WORD_PLEASE},
    {"alsjeblieft", WORD_PLEASE},
    {"geen", WORD_NONE},
    /* German */
    {"sende", WORD_SEND},
    {"senden", WORD_SEND},
    {"schicke", WORD_SEND},
    {"schicken", WORD_SEND},
    {"freigeben", WORD_SEND},
    {"zustellen", WORD_SEND | WORD_PASS},
    {"durchlassen", WORD_ALLOW | WORD_PASS},
    {"zulassen", WORD_ALLOW},
    {"erlaube", WORD_ALLOW},
    {"erlauben", WORD_ALLOW},
    {"halten", WORD_HOLD},
    {"zuruckhalten", WORD_HOLD},
    {"zurueckhalten", WORD_HOLD},
    {"vergiss", WORD_FORGET},
    {"vergessen", WORD_FORGET},
    {"pausiere", WORD_PAUSE},
    {"pausieren", WORD_PAUSE},
    {"fortsetzen", WORD_RESUME},
    {"zeiten", WORD_TIMES},
    {"listen", WORD_LISTS},
    {"hilfe", WORD_HELP},
    {"alle", WORD_ALL},
    {"bis", WORD_UNTIL},
    {"bis zum", WORD_UNTIL},
    {"und", WORD_AND},
    {"bitte", WORD_PLEASE},
    {"keine", WORD_NONE},
    /* French */
    {"envoie", WORD_SEND},
    {"envoyer", WORD_SEND},
    {"envoyez", WORD_SEND},
    {"liberer", WORD_SEND},
    {"livrer", WORD_SEND | WORD_PASS},
    {"autorise", WORD_ALLOW},
    {"autoriser", WORD_ALLOW},
    {"laisser passer", WORD_ALLOW | WORD_PASS},
    {"retenir", WORD_HOLD},
    {"retiens", WORD_HOLD},
    {"oublie", WORD_FORGET},
    {"oublier", WORD_FORGET},
    {"suspendre", WORD_PAUSE},
    {"reprendre", WORD_RESUME},
    {"horaires", WORD_TIMES},
    {"heures", WORD_TIMES},
    {"listes", WORD_LISTS},
    {"aide", WORD_HELP},
    {"tout", WORD_ALL},
    {"tous", WORD_ALL},
    {"jusqu'au", WORD_UNTIL},
    {"jusqu'a", WORD_UNTIL},
    {"et", WORD_AND},
    {"svp", WORD_PLEASE},
    {"aucun", WORD_NONE},
    {"aucune", WORD_NONE},
};

static const struct weekday_row {
	const char *word;
	const char *weekday;
} weekdays[] = {
    /* Dutch */
    {"ma", "Mon"},
    {"maandag", "Mon"},
    {"di", "Tue"}, /* German too */
    {"dinsdag", "Tue"},
    {"wo", "Wed"},
    {"woensdag", "Wed"},
    {"do", "Thu"}, /* German too */
    {"donderdag", "Thu"},
    {"vr", "Fri"},
    {"vrijdag", "Fri"},
    {"za", "Sat"},
    {"zaterdag", "Sat"},
    {"zo", "Sun"},
    {"zondag", "Sun"},
    /* German */
    {"mo", "Mon"},
    {"montag", "Mon"},
    {"dienstag", "Tue"},
    {"mi", "Wed"},
    {"mittwoch", "Wed"},
    {"donnerstag", "Thu"},
    {"fr", "Fri"},
    {"freitag", "Fri"},
    {"sa", "Sat"},
    {"samstag", "Sat"},
    {"so", "Sun"},
    {"sonntag", "Sun"},
    /* French; of two letters they would mean other days in Dutch */
    {"lun", "Mon"},
    {"lundi", "Mon"},
    {"mar", "Tue"},
    {"mardi", "Tue"},
    {"mer", "Wed"},
    {"mercredi", "Wed"},
    {"jeu", "Thu"},
    {"jeudi", "Thu"},
    {"ven", "Fri"},
    {"vendredi", "Fri"},
    {"sam", "Sat"},
    {"samedi", "Sat"},
    {"dim", "Sun"},
    {"dimanche", "Sun"},
};

size_t words_find(char *const *words, unsigned *meanings_out)
{
	*meanings_out = 0;
	size_t len = words[0] == NULL ? 0 : strlen(words[0]);
	size_t found = 0;
	for (size_t i = 0; words[0] != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *row = rows[i].word;
		bool first = strncmp(row, words[0], len) == 0;
		size_t n = 0;
		if (first && row[len] == '\0')
			n = 1;
		else if (first && row[len] == ' ' && words[1] != NULL &&
		    strcmp(row + len + 1, words[1]) == 0)
			n = 2;
		if (n > found) {
			found = n;
			*meanings_out = rows[i].meanings;
		}
	}
	return found;
}

const char *words_weekday(const char *word)
{
	for (size_t i = 0; i < sizeof(weekdays) / sizeof(weekdays[0]); i++) {
		if (strcmp(weekdays[i].word, word) == 0)
			return weekdays[i].weekday;
	}
	return NULL;
}
