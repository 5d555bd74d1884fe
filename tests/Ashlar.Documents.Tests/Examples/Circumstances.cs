namespace Ashlar.Documents.Tests;

/// <summary>What an example takes for granted.</summary>
sealed record Circumstances
{
    const string Backups = """
        ashlar kv create ./store
        ashlar kv put ./store a b
        ashlar kv backup ./store ./backups
        ashlar kv put ./store c d
        ashlar kv backup ./store ./backups
        ashlar kv backup ./store ./backups
        """;

    const string Keyspaces = """
        ashlar kv create ./store
        ashlar kv put ./store city/paris bonjour
        ashlar kv keyspace create ./store users
        """;

    const string Snapshots = """
        ashlar volume create vm1 --size 1GiB
        ashlar snapshot create vm1@monday
        ashlar snapshot create vm1@tuesday
        """;

    const string Exportable = """
        ashlar volume create vm1 --size 1GiB
        ashlar volume create vm2 --size 1GiB
        ashlar snapshot create vm1@monday
        echo twelve-bytes-or-more >secret
        """;

    const string Exported = Exportable + """

        ashlar export create vm1 --volume vm1 --initiator iqn.1993-08.org.debian:01:host1
        ashlar export create lan --volume vm1 --protocol nbd --address 192.0.2.0/24 --read-only
        ashlar export create secret --volume vm2 --chap host1 --chap-secret-file secret
        """;

    const string StoredFiles = """
        printf '%2000s' meow >stored
        ashlar file mkdir /photos /old /logs
        ashlar file put stored /photos/cat.jpg
        ashlar file put stored /logs/today
        """;

    const string SafePool =
        "ashlar pool create safe --raid 6 --device a --device b --device c --device d --spare e --size 64MiB";

    /// <summary>Of an example, of a command, or of all below a command ("ashlar kv *"); the first of these that is there counts.</summary>
    public static IReadOnlyDictionary<string, Circumstances> Of { get; } = new Dictionary<string, Circumstances>(StringComparer.Ordinal)
    {
        ["ashlar export create"] = After(Exportable),
        ["ashlar export show"] = After(Exported),
        ["ashlar export set"] = After(Exported),
        ["ashlar export delete"] = After(Exported),
        ["ashlar volume show"] = After("ashlar volume create vm1 --size 1GiB; ashlar volume create vm2 --size 1GiB"),
        ["ashlar volume resize"] = After("ashlar volume create vm1 --size 10GiB"),
        ["ashlar volume rename"] = After("ashlar volume create vm1 --size 1GiB"),
        ["ashlar volume limit"] = After("ashlar volume create vm1 --size 1GiB; ashlar volume create vm2 --size 1GiB"),
        ["ashlar volume defragment"] = After("ashlar volume create vm1 --size 1GiB"),
        ["ashlar volume map"] = After("ashlar volume create vm1 --size 1GiB"),
        ["ashlar volume map vm1 --since monday"] = After("ashlar volume create vm1 --size 1GiB; ashlar snapshot create vm1@monday"),
        ["ashlar volume set"] = After("ashlar volume create vm1 --size 1GiB; ashlar volume create vm2 --size 1GiB"),
        ["ashlar volume undelete"] = After("ashlar volume create vm1 --size 1GiB; ashlar volume delete vm1 --yes"),
        ["ashlar volume trash empty"] = After("ashlar volume create vm1 --size 1GiB; ashlar volume delete vm1 --yes"),
        ["ashlar volume delete"] = After("for name in vm1 vm2 vm3; do ashlar volume create $name --size 1GiB; done"),
        ["ashlar volume delete vm1"] = After("ashlar volume create vm1 --size 1GiB") with { Answer = "y" },
        ["ashlar pool create fast --device /dev/sdb --device /dev/sdc"] =
            new() { NotAsTyped = "no machine of a test has such disks", Instead = """
                truncate -s 64M b c
                ashlar pool create fast --device b --device c
                """ },
        ["ashlar pool add-device"] = After("ashlar pool create fast --device fast.pool --size 1GiB"),
        ["ashlar pool add-device fast --device /dev/sdd"] = After("ashlar pool create fast --device fast.pool --size 1GiB") with
        {
            NotAsTyped = "no machine of a test has such a disk",
            Instead = "truncate -s 64M d; ashlar pool add-device fast --device d",
        },
        ["ashlar pool remove-device"] = After("""
            ashlar pool create fast --device fast.pool --size 1GiB
            ashlar pool add-device fast --device more.pool --size 1GiB
            """),
        ["ashlar pool remove-device fast /dev/sdd"] = After("""
            truncate -s 64M d
            ashlar pool create fast --device fast.pool --size 1GiB
            ashlar pool add-device fast --device d
            """) with
        {
            NotAsTyped = "no machine of a test has such a disk",
            Instead = "ashlar pool remove-device fast d",
        },
        ["ashlar pool add-device safe --device f --spare"] = After(SafePool),
        ["ashlar pool replace"] = After(SafePool),
        ["ashlar pool replace safe /dev/sdb /dev/sde"] = After(SafePool) with
        {
            NotAsTyped = "no machine of a test has such disks",
            Instead = "ashlar pool replace safe b f",
        },
        ["ashlar pool remove-device safe e"] = After(SafePool),
        ["ashlar pool rename"] = After("ashlar pool create fast --device fast.pool --size 1GiB"),
        ["ashlar pool export"] = After("ashlar pool create fast --device fast.pool --size 1GiB"),
        ["ashlar pool import"] = After("ashlar pool create fast --device fast.pool --size 1GiB; ashlar pool export fast"),
        ["ashlar pool import /dev/sdb /dev/sdc --name slow"] =
            After("truncate -s 64M b c; ashlar pool create fast --device b --device c; ashlar pool export fast") with
            {
                NotAsTyped = "no machine of a test has such disks",
                Instead = "ashlar pool import b c --name slow",
            },
        ["ashlar pool delete"] = After("ashlar pool create fast --device fast.pool --size 1GiB"),
        ["ashlar pool delete fast"] = After("ashlar pool create fast --device fast.pool --size 1GiB") with { Answer = "y" },
        ["ashlar pool verify main --offline"] = new()
        {
            NotAsTyped = "the server has to be stopped first",
            Instead = "ashlar pool verify main",
        },
        ["ashlar task show"] = After("ashlar pool scrub main"),
        ["ashlar task pause"] = After("ashlar pool scrub main"),
        ["ashlar task resume"] = After("ashlar pool scrub main"),
        ["ashlar task limit"] = After("ashlar pool scrub main"),
        ["ashlar task cancel"] = After("ashlar pool scrub main"),
        ["ashlar snapshot *"] = After(Snapshots),
        ["ashlar snapshot create"] = After("for name in vm1 db log; do ashlar volume create $name --size 1GiB; done"),
        ["ashlar snapshot create vm1@monday"] = After("ashlar volume create vm1 --size 1GiB"),
        ["ashlar snapshot export vm1@tuesday --since monday --file vm1.delta"] = After("""
            ashlar volume show vm1 || { ashlar volume create vm1 --size 1GiB; ashlar snapshot create vm1@monday; }
            ashlar snapshot create vm1@tuesday
            """),
        ["ashlar snapshot delete vm1@monday"] = After(Snapshots) with { Answer = "y" },
        ["ashlar snapshot restore"] = After(Snapshots) with { Answer = "y" },
        ["ashlar snapshot flatten"] = After($"{Snapshots}\nashlar snapshot clone vm1@monday vm2"),
        ["ashlar snapshot import"] = After($"{Snapshots}\nashlar snapshot export vm1@monday --file vm1.snapshot"),
        ["ashlar snapshot import vm2 --revert --file vm1.delta"] = After($"""
            {Snapshots}
            ashlar snapshot export vm1@monday --file vm1.snapshot
            ashlar snapshot import vm2 --file vm1.snapshot
            ashlar snapshot export vm1@tuesday --since monday --file vm1.delta
            """),
        ["ashlar file"] = After("echo meow >cat.jpg"),
        ["ashlar file *"] = After(StoredFiles),
        ["ashlar file mkdir"] = new(),
        ["ashlar file put"] = After("""
            echo meow >cat.jpg
            mkdir photos
            cp cat.jpg photos/
            ashlar file mkdir /photos /logs
            """),
        ["ashlar file put - /logs/today --replace"] = After("ashlar file mkdir /logs") with { Input = "hello" },
        ["ashlar customer *"] = After("ashlar customer create acme"),
        ["ashlar customer create"] = new(),
        ["ashlar user"] = After("ashlar customer create acme"),
        ["ashlar user *"] = After("ashlar customer create acme; ashlar user create backup --customer acme"),
        ["ashlar user create"] = After("ashlar customer create acme"),
        ["ashlar key"] = After("ashlar customer create acme; ashlar user create backup --customer acme"),
        ["ashlar key *"] = After("ashlar customer create acme; ashlar user create backup --customer acme"),
        ["ashlar key delete backup ABCDEFGHIJKLMNOPQRST --customer acme"] =
            After("ashlar customer create acme; ashlar user create backup --customer acme") with
            {
                NotAsTyped = "nobody has that key",
                Instead = """
                    key=$(ashlar key create backup --customer acme -o name)
                    ashlar key delete backup ${key%%:*} --customer acme
                    """,
            },
        ["ashlar node *"] = After("ashlar node add disk2 ./disk2"),
        ["ashlar node add"] = new(),
        ["ashlar node remove"] = After("ashlar node add disk2 ./disk2; ashlar node drain disk2"),
        ["ashlar device *"] = After("ashlar device create disk.ashlar"),
        ["ashlar device create"] = new(),
        ["ashlar device write disk.ashlar --file -"] = After("ashlar device create disk.ashlar") with { Input = "hello" },
        ["ashlar kv *"] = After("ashlar kv create ./store; ashlar kv put ./store city/paris bonjour"),
        ["ashlar kv create"] = new(),
        ["ashlar kv put"] = After(Keyspaces),
        ["ashlar kv delete"] = After(Keyspaces),
        ["ashlar kv scan"] = After(Keyspaces),
        ["ashlar kv keyspace create ./store orders"] = After("ashlar kv create ./store"),
        ["ashlar kv keyspace *"] = After("ashlar kv create ./store; ashlar kv keyspace create ./store users"),
        ["ashlar kv keyspace drop ./store users"] =
            After("ashlar kv create ./store; ashlar kv keyspace create ./store users") with { Answer = "y" },
        ["ashlar kv put ./store photo --file -"] = After("ashlar kv create ./store") with { Input = "a photo" },
        ["ashlar kv get"] = After($"""
            {Keyspaces}
            ashlar kv put ./store 42 alice --keyspace users
            ashlar kv put ./store 00ff 01 --hex
            ashlar kv put ./store photo 'a photo'
            """),
        ["ashlar kv load"] = After($"""
            {Keyspaces}
            ashlar kv scan ./store --raw >dump
            printf 'paris\t2.1 million\n' >cities.tsv
            """),
        ["ashlar kv backups"] = After(Backups),
        ["ashlar kv verify-backup"] = After(Backups),
        ["ashlar kv delete-backup"] = After(Backups),
        ["ashlar kv restore"] = After($"{Backups}\nashlar kv archive-log ./store ./archive"),
        ["ashlar kv restore ./backups ./restored --archive ./archive --to-sequence 123456"] = After($"""
            {Backups}
            ashlar kv archive-log ./store ./archive
            ashlar kv load ./store --generate 130000 --value-size 10
            ashlar kv archive-log ./store ./archive
            """),
        ["ashlar kv restore ./backups ./restored --archive ./archive --to-time 2026-11-21T07:30:00Z"] =
            After($"{Backups}\nashlar kv archive-log ./store ./archive") with
            {
                NotAsTyped = "no archive that is made now covers that moment",
                Instead = """
                    last=$(ashlar kv archive ./archive -o json | grep -o '"lastCommittedAt": *"[^"]*"' | tail -1 | cut -d '"' -f 4)
                    ashlar kv restore ./backups ./restored --archive ./archive --to-time "$last"
                    """,
            },
        ["ashlar kv archive"] = After("""
            ashlar kv create ./store
            ashlar kv put ./store a b
            ashlar kv archive-log ./store /mnt/archive/store
            """),
        ["ashlar kv prune-archive"] = After("""
            ashlar kv create ./store
            ashlar kv put ./store a b
            ashlar kv archive-log ./store /mnt/archive/store
            ashlar kv backup ./store ./backups
            """),
        ["ashlar kv end-archive"] = After("ashlar kv create ./store; ashlar kv archive-log ./store ./archive"),
        ["ashlar kv repair ./store ./repaired"] = After("ashlar kv create ./store; ashlar kv put ./store a b") with { Answer = "y" },
        ["ashlar plan advise --needs shop.needs -o json"] =
            After("printf 'team = 2\n[a]\nqueries = search\nrole = derived\nreads = 20k/s\nsize = 1TB\n' >shop.needs"),
        ["ashlar plan estimate --schema orders.schema --records 100M/day --retention 1825d --backups 2 -o json"] =
            After("printf 'id bigint\nindex: id\n' >orders.schema"),
    };

    /// <summary>What was typed before.</summary>
    public string Before { get; init; } = ":";

    /// <summary>What is typed at the question that it asks at a terminal; null: it asks nothing, and there is no terminal.</summary>
    public string? Answer { get; init; }

    /// <summary>What comes through standard input.</summary>
    public string? Input { get; init; }

    /// <summary>Why the example fails when it is typed to the letter; null: it does not.</summary>
    public string? NotAsTyped { get; init; }

    /// <summary>What somebody types who has understood such an example.</summary>
    public string? Instead { get; init; }

    /// <summary>The keys that an example of a command goes by, the closest first.</summary>
    public static IEnumerable<string> KeysOf(HelpPage page, string example) => page.IsSession
        ? [example, page.Command]
        : [example, page.Command, $"{page.Command[..page.Command.LastIndexOf(' ')]} *"];

    /// <summary>Those of an example of a command.</summary>
    public static Circumstances OfExample(HelpPage page, string example) =>
        KeysOf(page, example).Select(key => Of.GetValueOrDefault(key)).FirstOrDefault(found => found is not null) ?? new();

    /// <summary>The line of shell by which the example is typed in these circumstances.</summary>
    public string Typed(string example) => this switch
    {
        { Answer: { } answer } => $"printf '{answer}\\n' | script -qec '{example}' /dev/null",
        { Input: { } input } => $"printf '{input}' | {example}",
        _ => example,
    };

    static Circumstances After(string before) => new() { Before = before };
}
