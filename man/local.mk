dist_man_MANS += man/pullyu.1
dist_man_MANS += man/pullyu.conf.5 man/pullyu-settings.5 man/pullyu-template.5
# man
dist_man_MANS += man/pullyu-milter.8
# man pages: one per program and per file
dist_man_MANS += man/pullyud.8
dist_man_MANS += man/pullyu-rules.5
dist_man_MANS += man/pullyu-commands.7
