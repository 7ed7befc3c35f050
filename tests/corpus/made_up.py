#!/usr/bin/python3
"""Made-up headers of many senders and languages, and what must become of them.

usage: made_up.py PULLYU RULES

All subjects are invented; the senders are such as people get mail from, with the fields that their
platforms write. Each row: class, action (hold, pass, or either, where the class counts), message.
Unlike the samples these are many and small: a row costs a line.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

U = "List-Unsubscribe: <https://x.example/u/1>\n"
O = U + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
SFMC = "Return-Path: <bounce-12_HTML-123456-789-51000-1@bounce.em.brand.example>\nX-SFMC-Stack: 1\nx-job: 51000_789\nList-ID: <51000.xt.local>\n"
SG = "Return-Path: <bounces+1-2-ann=example.org@em1.brand.example>\nX-SG-EID: u001.x\n"
SES = "Return-Path: <0100018f2a77b9c1-aaaa-000000@amazonses.com>\nX-SES-Outgoing: 2026.01.01-54.240.8.1\nFeedback-ID: 1.us-east-1.x=:AmazonSES\n"
KL = "Return-Path: <bounce+123@k1.brand.example>\nX-Kmail-Account: AbC\nX-Kmail-Message: Xy\nFeedback-ID: AbC:Xy:klaviyo\n"
CAMPAIGN = "X-Campaign: 1\nPrecedence: bulk\n"
ALT = "Content-Type: multipart/alternative; boundary=x\n"


def m(sender, subject, *fields):
    return (f"From: {sender}\nTo: ann@example.org\nSubject: {subject}\n" + "".join(fields) +
            "Date: Mon, 1 Jan 2026 10:00:00 +0000\nMessage-ID: <abc@brand.example>\n\n")


ROWS = [
    # must pass
    ("transactional", "pass", m("Uber Receipts <noreply@uber.com>","Your Tuesday evening trip with Uber",SG,ALT)),
    ("transactional", "pass", m("Uber Receipts <noreply@uber.com>","[Personal] Your Tuesday evening trip with Uber",SFMC,O,ALT)),
    ("transactional", "pass", m("Apple <no_reply@email.apple.com>","Your receipt from Apple.",ALT)),
    ("transactional", "pass", m("Apple <no_reply@email.apple.com>","Ihre Rechnung von Apple",ALT)),
    ("transactional", "pass", m("Netflix <info@account.netflix.com>","We've received your payment",SES,O,ALT)),
    ("transactional", "pass", m("Spotify <no-reply@spotify.com>","Your Spotify Premium receipt",SG,ALT)),
    ("transactional", "pass", m("Booking.com <noreply@booking.com>","🛄 Thanks! Your booking is confirmed at Hotel Zee",SG,U,ALT)),
    ("transactional", "pass", m("KLM <noreply@klm.com>","Time to check in for your flight to Lisbon",SFMC,U,ALT)),
    ("transactional", "pass", m("bol <automail@bol.com>","Je bestelling is onderweg",SFMC,ALT)),
    ("transactional", "pass", m("Coolblue <noreply@coolblue.nl>","Gelukt. We gaan voor je aan de slag met bestelling 93817260",SFMC,ALT)),
    ("transactional", "pass", m("PostNL <noreply@notificatie.postnl.nl>","Je pakket van bol komt vandaag tussen 10:15 en 12:15",SFMC,U,ALT)),
    ("transactional", "pass", m("DHL <noreply@dhl.com>","Your DHL shipment will be delivered tomorrow",SES,ALT)),
    ("transactional", "pass", m("SNCF Connect <noreply@sncf-connect.com>","Confirmation de votre commande ABCDEF",SFMC,U,ALT)),
    ("transactional", "pass", m("Doctolib <no-reply@doctolib.fr>","Rappel : rendez-vous demain à 10h",SG,ALT)),
    ("transactional", "pass", m("Allegro <powiadomienia@allegro.pl>","Kupiłeś i zapłaciłeś: kabel USB",SG,U,ALT)),
    ("transactional", "pass", m("InPost <noreply@inpost.pl>","Paczka czeka na Ciebie w paczkomacie",SG,ALT)),
    ("transactional", "pass", m("Amazon.co.jp <auto-confirm@amazon.co.jp>","Amazon.co.jpでのご注文123-1234567-1234567",SES,ALT)),
    ("transactional", "pass", m("楽天 <order@rakuten.co.jp>","【楽天市場】注文内容ご確認（自動配信メール）",ALT)),
    ("transactional", "pass", m("Mercado Livre <info@mercadolivre.com>","Seu pacote está a caminho",SG,O,ALT)),
    ("transactional", "pass", m("Stripe <receipts@stripe.com>","Your receipt from Acme Inc #1234-5678",SG,ALT)),
    ("transactional", "pass", m("PayPal <service@paypal.de>","Bestätigung Ihrer Zahlung an Laden GmbH",ALT)),
    ("transactional", "pass", m("Bank <noreply@bank.example>","A direct deposit has posted to your account",SFMC,ALT)),
    ("transactional", "pass", m("Airbnb <automated@airbnb.com>","Reservation confirmed for Lisbon",SG,U,ALT)),
    ("transactional", "pass", m("Eventbrite <orders@eventbrite.com>","Your Tickets for Jazz in the park",SG,ALT)),
    ("transactional", "pass", m("DocuSign <dse@docusign.net>","Complete with DocuSign: Lease.pdf",SES,ALT)),
    ("transactional", "pass", m("NHS <noreply@nhs.example>","Reminder: your appointment on 4 May",SES,ALT)),
    ("transactional", "pass", m("School <noreply@parentmail.example>","School closed tomorrow",SES,ALT)),
    ("security", "pass", m("Google <no-reply@accounts.google.com>","Security alert")),
    ("security", "pass", m("GitHub <noreply@github.com>","[GitHub] Please verify your device")),
    ("security", "pass", m("GitHub <noreply@github.com>","[GitHub] A new public key was added to your account")),
    ("security", "pass", m("Microsoft account team <account-security-noreply@accountprotection.microsoft.com>","Microsoft account security code")),
    ("security", "pass", m("LinkedIn <security-noreply@linkedin.com>","Here's your verification code 123456","X-LinkedIn-Class: ACCOUNT\n",U)),
    ("security", "pass", m("Facebook <security@facebookmail.com>","123456 is your Facebook account recovery code","X-Facebook: x\n",U)),
    ("security", "pass", m("Instagram <security@mail.instagram.com>","New login to Instagram from Chrome on Windows","X-Facebook: x\n",U)),
    ("security", "pass", m("Slack <no-reply@slack.com>","Slack confirmation code: ABC-DEF",SES)),
    ("security", "pass", m("Notion <notify@mail.notion.so>","Your Notion login code is cheer-fame-bold",SG)),
    ("security", "pass", m("Substack <no-reply@substack.com>","Sign in to Substack",SES,U)),
    ("security", "pass", m("Steam <noreply@steampowered.com>","Your Steam account: Access from new computer")),
    ("security", "pass", m("Deutsche Bahn <noreply@bahn.de>","Ihr Verifizierungscode lautet 483920")),
    ("security", "pass", m("Impots <ne-pas-repondre@impots.example>","Confirmation de votre adresse électronique")),
    ("security", "pass", m("Binance <do-not-reply@ses.binance.com>","[Binance] Login Attempted from New IP address 1.2.3.4",SES)),
    ("security", "pass", m("Discord <noreply@discord.com>","Verify Email Address for Discord",SG)),
    ("security", "pass", m("Twitch <no-reply@twitch.tv>","123456 – Your Twitch Verification Code",SES)),
    ("security", "pass", m("LINE <no-reply@line.me>","【LINE】認証番号のお知らせ")),
    ("security", "pass", m("Allegro <noreply@allegro.pl>","Zmiana hasła do konta")),
    ("security", "pass", m("Nubank <noreply@nubank.example>","Seu código é 482910")),
    ("personal", "pass", m("Mum <mum@btinternet.com>","Sunday lunch, and a sale at the church")),
    ("personal", "pass", m("Jan de Vries <jan@vries.example>","Factuur schilderwerk")),
    ("personal", "pass", m("Info <info@verein.example>","Mitgliederversammlung am 3. Mai")),
    ("personal", "pass", m("Karen <karen@estateagent.example>","The house on Mill Lane", U)),
    ("personal", "pass", m("Tom <tom@recruiter.example>","Quick question, Ann","X-HubSpot-x: y\n",U)),
    ("personal", "pass", m("Eva <eva@firma.example>","AW: Angebot","In-Reply-To: <1@example.org>\n",ALT)),
    ("personal", "pass", m("Sam <sam@gmail.com>","Check out these deals!!",ALT)),
    ("personal", "pass", m("Pia <pia@posteo.de>","Einladung zum Sommerfest 🎉",ALT)),
    ("personal", "pass", m("eBay <bob_123@members.ebay.com>","bob_123 has sent a question about item #123",SES)),
    ("personal", "pass", m("Bob via Airbnb <express@airbnb.com>","Message from Bob about your stay",SG,U,ALT)),
    ("personal", "pass", m("Anna via LinkedIn <inmail-hit-reply@linkedin.com>","Anna: a job in Utrecht","X-LinkedIn-Class: INMAIL\n",U)),
    ("calendar", "pass", m("Bob <bob@gmail.com>","Invitation: Lunch @ Wed 4 Mar 2026 12:00 - 13:00 (CET) (ann@example.org)","Sender: Google Calendar <calendar-notification@google.com>\n",ALT)),
    ("calendar", "pass", m("Bob <bob@firma.example>","Accepted: Budget meeting",ALT)),
    ("calendar", "pass", m("Bob <bob@firma.example>","Abgesagt: Jour fixe",ALT)),
    ("bounce","pass","Return-Path: <>\n"+m("Mail Delivery Subsystem <mailer-daemon@googlemail.com>","Delivery Status Notification (Failure)","Auto-Submitted: auto-replied\n")),
    ("bounce","pass","Return-Path: <>\n"+m("Microsoft Outlook <MicrosoftExchange329e@firma.example>","Unzustellbar: Test")),
    ("bounce", "pass", m("Jan <jan@firma.example>","Automatische Antwort: Termin","Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n")),
    ("discussion", "either", m("Bob <bob@x.example>","[dev] patch","List-Id: <dev.lists.x.example>\nList-Post: <mailto:dev@lists.x.example>\nPrecedence: list\n"+U)),
    ("discussion", "either", m("Bob <bob@x.example>","Re: hiking","List-Id: <main.group.groups.io>\nList-Post: <mailto:group@groups.io>\n"+O)),
    ("discussion", "either", m("Bob via Foo <foo@googlegroups.com>","Re: hiking","List-Id: <foo.googlegroups.com>\nList-Post: <https://groups.google.com/group/foo/post>, <mailto:foo@googlegroups.com>\nPrecedence: list\nMailing-list: list foo@googlegroups.com\n"+U)),
    ("personal", "pass", m("Bob <bob@mail.uni.example>","Photos for you 🎉","Content-Type: text/html\n")),
    ("personal", "pass", m("Joe, Marketing <joe@firma.example>","Our special offer for your kitchen","Content-Type: text/html\n")),
    ("personal", "pass", m("Events <events@hotel.example>","Offer for your wedding","Content-Type: text/html\nReply-To: sales@hotelgroup.example\n")),
    ("personal", "pass", m("Weekly choir <weekly@choir.example>","Rehearsal on Monday is cancelled")),
    ("personal", "pass", m("Bob <bob@gmail.com>","NEWSLETTER DRAFT - please read","Content-Type: multipart/mixed; boundary=x\n")),
    ("personal","pass","Return-Path: <bob@firma.example>\n"+m("Bob <bob@firma.example>","Save the date: Christmas party 🎄",ALT)),
    ("personal", "pass", m("Dr. Smith <reception@clinic.example>","Results",SES,ALT)),
    ("personal", "pass", m("HR <hr@firma.example>","Survey: how was your first week?",SG,ALT)),
    ("personal", "pass", m("Teacher <teacher@school.example>","This week in class 3b","To: parents@school.example\n",ALT)),
    ("personal","pass","To: undisclosed-recipients:;\nFrom: Bob <bob@gmail.com>\nSubject: Invitation to my party, 20 May\n"+ALT+"\n"),
    ("personal", "pass", m("Anna <anna@firma.example>","Re: Webinar tomorrow","X-Mailer: Microsoft Outlook 16.0\nIn-Reply-To: <x@firma.example>\n",ALT)),
    ("personal", "pass", m("Zendesk agent <support@acme.zendesk.com>","[Acme] Re: My order never came","X-Zendesk-From-Account-Id: 1\nIn-Reply-To: <a@example.org>\n")),
    ("transactional", "pass", m("Lyft <no-reply@lyftmail.com>","Thanks for riding with Bob!",SG,O,ALT)),
    ("transactional", "pass", m("Amex <AmericanExpress@welcome.americanexpress.com>","Large Purchase Approved",SFMC,ALT)),
    ("transactional", "pass", m("Chase <no.reply.alerts@chase.com>","Your $54.20 transaction with GROCER",ALT)),
    ("transactional", "pass", m("Etsy <transaction@etsy.com>","You made a sale on Etsy - Ship by Jan 5",SG,O,ALT)),
    ("transactional", "pass", m("Shopify store <store@shop.example>","Order #1042 confirmed",SG,ALT)),
    ("transactional", "pass", m("Shopify store <store@shop.example>","A shipment from order #1042 is on the way",SG,O,ALT)),
    ("transactional", "pass", m("Ziggo <noreply@mail.ziggo.nl>","Je factuur van januari staat klaar",SFMC,U,ALT)),
    ("transactional", "pass", m("Enel <noreply@enel.it>","La tua bolletta è disponibile",SFMC,U,ALT)),
    ("transactional", "pass", m("EDF <ne-pas-repondre@edf.fr>","Votre facture est disponible",SFMC,U,ALT)),
    ("transactional", "pass", m("Iberdrola <no-reply@iberdrola.es>","Tu factura ya está disponible",SFMC,U,ALT)),
    ("transactional", "pass", m("Vodafone <noreply@vodafone.de>","Deine Mobilfunk-Rechnung ist da",SFMC,U,ALT)),
    ("transactional", "pass", m("Play <noreply@play.pl>","Twoja e-faktura za styczeń",SFMC,U,ALT)),
    ("transactional", "pass", m("三井住友カード <statement@vpass.ne.jp>","ご利用のお知らせ【三井住友カード】")),
    ("transactional", "pass", m("ヤマト運輸 <mail@kuronekoyamato.co.jp>","お荷物お届けのお知らせ【1/5】",U)),
    ("transactional", "pass", m("Correios <noreply@correios.com.br>","Seu objeto saiu para entrega",SG)),
    ("transactional", "pass", m("Cal clinic <no-reply@clinic.example>","Confirm your appointment on 5/4",SG,O)),
    ("security", "pass", m("Twitter <verify@twitter.com>","Confirm it's you to log in",U)),
    ("security", "pass", m("ING <noreply@ing.nl>","Belangrijk: je apparaat is gekoppeld",SFMC,U)),
    ("security", "pass", m("Revolut <no-reply@revolut.com>","Was this you?",SG,U)),
    ("security", "pass", m("Wordpress <wordpress@blog.example>","[Blog] Passwort zurücksetzen")),
    ("security", "pass", m("Okta <noreply@okta.com>","Account locked",SES)),
    ("security", "pass", m("Newsletter <news@letter.example>","Confirm your subscription to The Letter",O,SG)),
    ("personal", "pass", m("Boss <boss@firma.example>","Your weekly report is late",ALT)),
    ("personal", "pass", m("Bob <bob@gmail.com>","New photos, new comments on the novel")),
    ("personal", "pass", m("Bob <bob@firma.example>","Pull request for the shed roof, assigned to you","X-Mailer: Apple Mail\n")),
    # people whose mail travels with the marks of a platform or of their mailbox provider
    ("personal", "pass", "Return-Path: <bounce-md_1.2.v1-3@mandrillapp.com>\n" + m("Bob Lee <bob.lee@firma.example>","Our new prices, and a discount","X-Mandrill-User: md_1\nX-Report-Abuse: forward to abuse@mandrill.com\nUser-Agent: Mozilla Thunderbird\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob.lee@firma.example>","[PATCH] fix the newsletter form","X-PM-RCPT: |b|\nx-job: 442084_19907644\nX-Mailer: git-send-email 2.34.1\nIn-Reply-To: <1@lists.example>\n")),
    ("personal", "pass", m("Bob Lee <bob.lee@firma.example>","Our new prices","x-campaign-id: default\nX-Swg-Bid: 1\nFeedback-ID: 1:default:Sweego\nUser-Agent: Mozilla Thunderbird\n")),
    ("personal", "pass", m("Bob Lee <bob@forward.example>","Invitation to our open day","X-Report-Abuse-To: abuse@fwd.example\nX-Complaints-To: abuse@fwd.example\nX-Report-Abuse: abuse@fwd.example\n")),
    ("personal", "pass", m("Bob Lee <bob@ovhmail.example>","Promo de Noël au club","X-Ovh-Tracer-Id: 123\nX-VR-SPAMSTATE: OK\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob@zoho.example>","Special offer for you","X-ZM-MESSAGEID: 1\nX-Mailer: Zoho Mail\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob@pm.me>","Newsletter for the club, please read","X-Pm-Message-ID: 1\nFeedback-ID: 1:user:proton\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob@fastmail.com>","This week: discount at the tulip fields","Feedback-ID: if26b431b:Fastmail\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob@uni.example>","News","X-Mailer-Info: https://bob.example/mutt/\n")),
    ("personal", "pass", m("Boris <boris77@vk.com>","Can you come tomorrow?",ALT)),
    ("personal", "pass", m("Staff <joe.doe@linkedin.com>","Lunch tomorrow","X-MS-Has-Attach:\nThread-Topic: Lunch\n",ALT)),
    ("personal", "pass", m("Bob Lee <bob@debian.example>","Bug#1: followup","X-Debian-PR-Message: followup 1\nIn-Reply-To: <a@example.org>\nAuto-Submitted: auto-generated\n")),
    ("transactional", "pass", m("Airbnb <automated@airbnb.com>","Your stay in Lisbon starts tomorrow","X-RPCampaign: abc123\n",SG,ALT)),
    ("transactional", "pass", m("City <noreply@city.example>","Thank you for submitting a report: your record number is 4711","X-MailingID: 1001\nX-TMS-Recipient: 1\n",ALT)),
    ("security", "pass", m("Brevo user <noreply@app.example>","Bevestigen","X-Mailin-Tag: account-activation\nX-sib-id: x\n",U)),
    ("transactional", "pass", m("Shop <shop@shop.example>","Hallo Ann","X-Mailgun-Tag: order_confirmation\nX-Mailgun-Sid: x\n",U)),
    ("personal", "pass", m("Cottage website <bookings@cottage.example>","Contact form: free at Easter?","Reply-To: Wim <wim@xtra.co.nz>\nX-Mailer: PHPMailer 6.8.0\n",O)),
    # boards, schools, doctors, offices: with the marks of a platform or a script, and nothing of a mailing
    ("transactional", "pass", m("SV Club Nord <vorstand@sv.example>","Einladung zur Jahreshauptversammlung","X-Mailer: PHPMailer 6.8\n",ALT)),
    ("transactional", "pass", m("Bowls Club <secretary@bowls.example>","Invitation to the extraordinary general meeting","X-PHP-Originating-Script: 33:m.php\n",ALT)),
    ("transactional", "pass", m("Kita <leitung@kita.example>","Rundschreiben: Kita am Freitag geschlossen","X-Mailer: PHP/8\nContent-Type: text/html\n")),
    ("transactional", "pass", m("School <office@school.example>","We shut at noon",U)),
    ("transactional", "pass", m("School <office@school.example>","Sam was marked absent this morning",SG,O,ALT)),
    ("transactional", "pass", m("Garage <garage@garage.example>","Your car","X-SG-EID: u001.x\n","List-Unsubscribe: <mailto:u@x.example>\n")),
    ("transactional", "pass", m("Clinic <noreply@clinic.example>","Please call us about your results",SG,U,ALT)),
    ("personal", "pass", "Return-Path: <bob@mac.example>\n" + m("Bob's friends <bob@mac.example>","Invitation to my birthday","Received: by mac.example (Postfix, from userid 501) id 1\n")),
    ("security", "pass", m("App <hello@app.example>","834921",SG,U,ALT)),
    ("security", "pass", m("App <hello@app.example>","Use 83-49-21 to continue",SG,O,ALT)),
    ("transactional", "pass", m("Bakery <shop@bakery.example>","Wir haben Ihre Zahlung erhalten! 5% Rabatt beim nächsten Mal","X-Mailer: PHPMailer 6\nContent-Type: text/html\n")),
    # must hold
    ("newsletter", "hold", m("The Economist <newsletters@e.economist.com>","The world in brief",SFMC,O,ALT)),
    ("newsletter", "hold", m("NRC <nieuwsbrief@nrc.example>","Dit is het nieuws van vanochtend",SG,ALT)),
    ("newsletter", "hold", m("Le Monde <infos@info.lemonde.fr>","La lettre du matin",SG,U,ALT)),
    ("newsletter", "hold", m("El País <boletines@elpais.com>","Lo mejor de la semana",SFMC,U,ALT)),
    ("newsletter", "hold", m("Zalando <info@service-mail.zalando.de>","Nur noch heute: 20% auf alles",SFMC,U,ALT)),
    ("newsletter", "hold", m("H&M <hm@email.hm.com>","New arrivals are here",SFMC,O,ALT)),
    ("newsletter", "hold", m("Zara <noreply@news.zara.com>","#zaraman This week's new in",SFMC,U,ALT)),
    ("newsletter", "hold", m("Substack writer <writer@substack.com>","On walking",O,"List-Id: <writer.substack.com>\nX-Mailgun-Sid: x\n",ALT)),
    ("newsletter", "hold", m("Ghost blog <noreply@blog.example>","Three thoughts on bread",O,"Return-Path: <bounce+a1b2c3.d4e5f6-ann=example.org@mg.blog.example>\nX-Mailgun-Sid: x\n",ALT)),
    ("newsletter", "hold", m("UNIQLO <mail@ml.uniqlo.com>","【ユニクロ】期間限定価格のお知らせ",U,"Return-Path: <b-1234567@ml.uniqlo.com>\n")),
    ("newsletter", "hold", m("楽天市場 <shop@emagazine.rakuten.co.jp>","【ポイント10倍】本日23:59まで","Errors-To: <bounce@emagazine.rakuten.co.jp>\n")),
    ("newsletter", "hold", m("Allegro <newsletter@allegro.pl>","Okazje tygodnia",U,SG)),
    ("newsletter", "hold", m("Fnac <fnac@news.fnac.com>","Derniers jours : jusqu'à -50%",U,SFMC)),
    ("newsletter", "hold", m("Magalu <ofertas@magazineluiza.com.br>","Só hoje: frete grátis",SG)),
    ("newsletter", "hold", m("Esselunga <no-reply@news.esselunga.it>","Le offerte della settimana",U,SG)),
    ("newsletter", "hold", m("Local church <office@church.example>","Weekly bulletin","X-Mailer: Mailchimp Mailer - **CID1234**\nX-MC-User: x\n",O,ALT)),
    ("newsletter", "hold", m("Political Party <hello@party.example>","Ann, we need you","Return-Path: <bounce@bounce.e.party.example>\n",O,SG)),
    ("newsletter", "hold", m("University alumni <alumni@alumni.uni.example>","Alumni magazine, spring edition",U,SFMC)),
    ("newsletter", "hold", m("Product Hunt <hello@producthunt.example>","AI that cleans your desk",O,"X-CIO-x: y\nReturn-Path: <postmaster@cio1234.mail.producthunt.example>\n",ALT)),
    ("notification", "hold", m("LinkedIn <messages-noreply@linkedin.com>","Ann, you appeared in 5 searches this week","X-LinkedIn-Class: EMAIL-DEFAULT\n",O)),
    ("notification", "hold", m("LinkedIn Job Alerts <jobalerts-noreply@linkedin.com>","gardener: Acme is hiring","X-LinkedIn-Class: EMAIL-DEFAULT\n",O)),
    ("notification", "hold", m("Facebook <notification@facebookmail.com>","Bob hat einen Beitrag kommentiert","X-Facebook: x\n",O)),
    ("notification", "hold", m("Instagram <no-reply@mail.instagram.com>","ann, see what you've been missing","X-Facebook: x\n",O)),
    ("notification", "hold", m("X <info@x.com>","Bob posted: hello",O,ALT)),
    ("notification", "hold", m("Quora Digest <english-personalized-digest@quora.com>","How do I prune a plum tree?",O,ALT)),
    ("notification", "hold", m("Reddit <noreply@redditmail.com>","\"What is this bug\"",O,ALT)),
    ("notification", "hold", m("YouTube <noreply@youtube.com>","Garden TV just uploaded a video",U)),
    ("notification", "hold", m("Meetup <info@email.meetup.com>","Just scheduled: Hiking",O,SG)),
    ("notification", "hold", m("Strava <no-reply@strava.com>","Bob gave you kudos",O,SG)),
    ("notification", "hold", m("Duolingo <hello@duolingo.com>","⏰ Your streak is at risk",O,SES,ALT)),
    ("notification", "hold", m("Pinterest <recommendations@discover.pinterest.com>","Boards for you",O,ALT)),
    ("notification", "hold", m("Discourse forum <noreply@forum.example>","[Forum] [Garden] plum","X-Discourse-Topic-Id: 1\nAuto-Submitted: auto-generated\nList-Id: <garden.forum.example>\nPrecedence: list\n",U)),
    ("notification", "hold", m("Jira <jira@firma.atlassian.net>","[JIRA] (ABC-12) Login page: password reset broken","X-JIRA-FingerPrint: x\nAuto-Submitted: auto-generated\nPrecedence: bulk\n")),
    ("notification", "hold", m("GitLab <gitlab@gitlab.firma.example>","Re: group/proj | Verify your email flow (!12)","X-GitLab-Project: p\nAuto-Submitted: auto-generated\nIn-Reply-To: <x@gitlab.firma.example>\n",U)),
    ("notification", "hold", m("Google Alerts <googlealerts-noreply@google.com>","Google Alert - plums",U)),
    # words of people, of codes and of orders, from the address of a newsletter
    ("newsletter", "hold", m("Zalando <newsletter@news.zalando.example>","You have a new message from Zalando",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Web <newsletter@news.web.example>","Contact form ideas for your website",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Sleep <newsletter@news.sleep.example>","The magic link between sleep and health",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Travel <newsletter@news.travel.example>","Your package tour to Rome",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Fashion <newsletter@news.fashion.example>","Final notice: summer styles are leaving",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", "In-Reply-To: <1@example.org>\n" + m("Fashion <newsletter@news.fashion.example>","Re: New arrivals for spring",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Fashion <newsletter@news.fashion.example>","New arrivals for spring","Subject: Your verification code is 123456\n",CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Fashion <newsletter@news.fashion.example>","New arrivals for spring","".join(f"X-{i}-Tag: x\n" for i in range(80)),CAMPAIGN,O,ALT)),
    ("newsletter", "hold", m("Fashion <newsletter@news.fashion.example>","50% off! your x is " + "not " * 1500,CAMPAIGN,O,ALT)),
    # without a way to unsubscribe, and with small marks alone
    ("newsletter", "hold", m("N Gauge Group <secretary@ngauge.example>","N Gauge Group - July Newsletter","X-Mailer: PHP/5.2.6\nContent-Type: text/html\n")),
    ("newsletter", "hold", "Return-Path: <wwwrun@host.example>\n" + m("KGV e.V. <vorstand@kgv.example>","Rundbrief Nr. 3/2007")),
    ("newsletter", "hold", "Return-Path: <bounce-x-1@lists.example>\n" + m("Column <column@daily.example>","Weekend sale","Message-Id: <LISTMANAGER-1-2-2002.08.12@lists.example>\n")),
    ("newsletter", "hold", m("美物商城 <hi@mall.example>","全场8折",U)),
    ("newsletter", "hold", m("Forge <noreply@forge.example>","FORGE UPDATE: August 14, 2002")),
    ("newsletter", "hold", m("Nordlys <nyheter@nordlys.example>","Høsten er her","Return-Path: <bounce-1@mail.nordlys.example>\n",U,ALT)),
    ("notification", "hold", m("Marktplaats <no-reply@marktplaats.nl>","7 nieuwe resultaten voor 'omafiets'",U,ALT)),
    ("notification", "hold", m("Otodom <powiadomienia@otodom.pl>","3 nowe ogłoszenia: mieszkanie, Gdańsk",SES,ALT)),
    ("notification", "hold", m("forum@fish.example","Benachrichtigung bei Antworten - \"Algen\"","X-Mailer: phpBB3\nX-phpBB-Origin: phpbb://fish.example\n")),
    # one click to unsubscribe, on platforms that carry everything: the thing and what became of it
    ("security", "pass", m("Wren <hello@wren.example>","Let's get you back into your account",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","One more step: activate your Orbit account",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Your temporary access code: 99 81 22",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Je code om in te loggen is 778123",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Alguien ha iniciado sesión en tu cuenta",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Ktoś zalogował się na Twoje konto",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","ログインを確認してください",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","New device authorised",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","We've disabled your account",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","[Wren] 882-341",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","1 3 9 0 2 4 is your code",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Enter this code: H7T-QQ2",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Did you request a new password?",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Security key registered",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Your authentication app was removed",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Dispositivo nuevo autorizado",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Neues Gerät autorisiert",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Nieuw apparaat goedgekeurd",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Nuovo dispositivo autorizzato",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","新しいデバイスを承認しました",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Potwierdź zmianę adresu e-mail",SES,O,ALT)),
    ("security", "pass", m("Wren <hello@wren.example>","Approve this payment: code 339 120",SES,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","You sent €25.00 to Jonas",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Jonas requested €12.50",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Please sign: Lease agreement",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Your table for 4 at Plum & Co",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Reservation for Saturday, 19:30",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","See you on Thursday at 10:15",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","plumsite.example expires in 14 days",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Rent due on 1 April",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Your item sold",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Trade confirmation: bought 3 PLUM",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Booking amended",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Delay on your 14:05 train",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Leave request approved",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Standing order failed",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Bid accepted",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Your exam results",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Invoice 88 from Plum Ltd",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Je trein van 14:05 valt uit",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Afspraak verzet naar 14 maart",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Termin am 12.03. bestätigt",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Devis n° 221",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Presupuesto 221",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Cancelación de tu reserva",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Płatność odrzucona",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","O seu comboio das 14:05 foi cancelado",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","Prenotazione confermata per Rossi",KL,O,ALT)),
    ("transactional", "pass", m("Firm <hello@firm.example>","お見積書の送付",KL,O,ALT)),
    ("transactional", "pass", m("Parcels <tracking@parcels.example>","We missed you today",SES,O,ALT)),
    ("transactional", "pass", m("Cloud <billing@cloud.example>","Your free tier usage exceeds 85%",SES,O,ALT)),
    ("transactional", "pass", m("shop@omise.example","【発送のお知らせ】ご注文番号 22131",SES,O,ALT)),
    ("calendar", "pass", m("Doodle <mailer@doodle.com>","Jonas invites you to vote: Team dinner",SG,U,ALT)),
    ("personal", "pass", m("Acme Service Desk <jira@acme.atlassian.net>","SUP-431 Broken handle","X-JIRA-FingerPrint: ab\nAuto-Submitted: auto-generated\n",ALT)),
    ("notification", "hold", m("Jira <jira@acme.atlassian.net>","[JIRA] (SUP-431) Broken handle","X-JIRA-FingerPrint: ab\nAuto-Submitted: auto-generated\n",ALT)),
    ("discussion", "either", m("jonas@isp.example","Package foo rejected from unstable","Precedence: list\nX-Mailing-List: carb-l@lists.example\nList-Id: <carb-l.lists.example>\n")),
    ("personal", "either", m("Jonas Berg <jonas@berg.example>","Device changed after the update",ALT)),
    ("transactional", "pass", m("Werkstatt <service@werkstatt.example>","Kostenvoranschlag Nr. 221",KL,O,ALT)),
    # people and meetings by way of services
    ("personal", "pass", m("Marketplace <no-reply@market.example>","Tienes un mensaje nuevo de Jonas",SG,O,ALT)),
    ("personal", "pass", m("Homes <express@homes.example>","Jonas sent you an inquiry",SG,O,ALT)),
    ("personal", "pass", m("Tickets <noreply@tickets.example>","Message to attendees of Plum fair",SG,O,ALT)),
    ("transactional", "pass", m("Meetings <no-reply@meet.example>","Jonas is waiting for you in the meeting",SG,O,ALT)),
    ("transactional", "pass", m("Tickets <noreply@tickets.example>","Reminder: Plum fair starts in 2 days",SG,O,ALT)),
    ("transactional", "pass", m("Planner <team@planner.example>","Updated: Intro call with Jonas Berg at 09:00 - Thu, Mar 6, 2026",SG,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Our sale starts in 2 days",KL,O,ALT)),
    # the same nouns in newsletters
    ("newsletter", "hold", m("Quay <hello@quay.example>","Transfer season: 300 rumours",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Orders over $50 ship free",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","The bill that changed everything",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","It's confirmed: summer line-up",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Your ticket to better sleep",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","School holidays: 101 ideas",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Bid now on 100 lots",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Auction preview: 212 lots",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Podcast #221: repair culture",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","5 reasons your login is slow",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Passwordless access: what it is",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Reset your kitchen",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Unlock your potential",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Verify your taste: take the quiz",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Secure the bag: totes are back",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Log in to savings",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Refund your weekend",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Contract wine explained",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Security alert: your savings are leaving",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Final delivery notice for Mother's Day orders",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Termine im April",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Recept van de week: linzen",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Votre voyage commence ici",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Curso de cerámica en abril",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Voli da 29 €",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","Zamów do 12:00",KL,O,ALT)),
    ("newsletter", "hold", m("Quay <hello@quay.example>","春の旅行特集",KL,O,ALT)),
    ("newsletter", "hold", m("Sec News <hello@secnews.example>","Massive data breach at Acme; new passkey rules",CAMPAIGN,O,ALT)),
    # home-grown newsletters and builds without a way to unsubscribe
    ("newsletter", "hold", m("Teatro <newsletter@teatro.example>","Il cartellone di marzo","X-Mailer: PHPMailer 6.8.0\nContent-Type: text/html\n")),
    ("newsletter", "hold", m("AMPA <ampa@colegio.example>","Boletín informativo febrero","X-Mailer: PHPMailer 6.8.0\nContent-Type: text/html\n")),
    ("newsletter", "hold", m("Verein <verein@tsv.example>","Vereinsnachrichten März 2025","X-Mailer: PHPMailer 6.8.0\nContent-Type: text/html\n")),
    ("newsletter", "hold", m("De Molen <nieuwsbrief@demolen.example>","De molen draait weer","Return-Path: <bounce+ann=example.org@demolen.example>\nContent-Type: text/html\n")),
    ("newsletter", "hold", m("Association <contact@asso.example>","Bulletin n°12 - Printemps","Precedence: bulk\nContent-Type: text/html\n")),
    ("newsletter", "hold", m("info@machi.example","町だより 第88号","Return-Path: <mag-bounce@machi.example>\n")),
    ("notification", "hold", m("Buildkite <notifications@ci.example>","Plum #55 failed",SES,ALT)),
    ("notification", "hold", m("Bitbucket <pullrequests-reply@bitbucket.org>","[acme/plum] Pull request #3: Add roots (main)",SES,ALT)),
]


def verdicts(program, rules, paths):
    done = subprocess.run([program, "classify", "--format", "json", "--rules", rules, *paths],
                          stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_near(rules, directory):
    """A copy of the rules in which every expression is tried on every field."""
    copy = os.path.join(directory, "rules")
    os.mkdir(copy)
    for name in os.listdir(rules):
        with open(os.path.join(rules, name), encoding="utf-8") as f:
            lines = [line for line in f if not re.match(r"near(\.\S+)? =", line)]
        with open(os.path.join(copy, name), "w", encoding="utf-8") as f:
            f.writelines(lines)
    return copy


def main():
    program, rules = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="pullyu-made-up-") as directory:
        paths = []
        for number, (_, _, text) in enumerate(ROWS):
            paths.append(os.path.join(directory, f"{number:03}.eml"))
            with open(paths[-1], "w", encoding="utf-8") as f:
                f.write(text)
        every = verdicts(program, rules, paths)
        plain = verdicts(program, without_near(rules, directory), paths)
    wrong = 0
    for (cls, action, text), got, got_plain in zip(ROWS, every, plain, strict=True):
        if got != got_plain:
            print(f"{text.splitlines()[:3]}: \"near\" changes the verdict: "
                  f"{got['class']}, without it {got_plain['class']}")
            wrong += 1
        if got["class"] == cls if action == "either" else got["action"] == action:
            continue
        wrong += 1
        shown = [x for x in text.split("\n") if x.startswith(("From:", "Subject:"))]
        print(f"{shown}: got {got['class']}, {got['action']}; want {cls}, {action}")
        for reason in got["reasons"]:
            print(f"    {reason['class']:14}{reason['weight']:+5.1f} {reason['rule']}: "
                  f"{reason['seen']}")
    print(f"{len(ROWS)} made-up headers, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
