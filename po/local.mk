# What digests say in other languages. "make update-po" writes the template anew and brings the
# catalogues up to date with it; a new language is a file here and its name in the lists below.
EXTRA_DIST += po/messages po/pullyu.pot po/de.po po/fr.po po/nl.po
catalogues = po/de/LC_MESSAGES/pullyu.mo po/fr/LC_MESSAGES/pullyu.mo po/nl/LC_MESSAGES/pullyu.mo
languages = de fr nl
noinst_DATA += $(catalogues)
CLEANFILES += $(catalogues)

compile_catalogue = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(MSGFMT) --check-format -o $@.tmp $? && mv $@.tmp $@
po/de/LC_MESSAGES/pullyu.mo: $(srcdir)/po/de.po
	$(compile_catalogue)
po/fr/LC_MESSAGES/pullyu.mo: $(srcdir)/po/fr.po
	$(compile_catalogue)
po/nl/LC_MESSAGES/pullyu.mo: $(srcdir)/po/nl.po
	$(compile_catalogue)

install-data-local: $(catalogues)
	for language in $(languages); do \
	  $(MKDIR_P) "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES" && \
	  $(INSTALL_DATA) po/$$language/LC_MESSAGES/pullyu.mo \
	    "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES/pullyu.mo" || exit 1; \
	done
uninstall-local:
	for language in $(languages); do \
	  rm -f "$(DESTDIR)$(localedir)/$$language/LC_MESSAGES/pullyu.mo"; \
	done

update-po:
	$(srcdir)/po/messages $(srcdir) >$(srcdir)/po/pullyu.pot.tmp
	mv $(srcdir)/po/pullyu.pot.tmp $(srcdir)/po/pullyu.pot
	for language in $(languages); do \
	  msgmerge --quiet --no-fuzzy-matching --no-location --update --backup=none \
	    $(srcdir)/po/$$language.po $(srcdir)/po/pullyu.pot || exit 1; \
	done
.PHONY: update-po
