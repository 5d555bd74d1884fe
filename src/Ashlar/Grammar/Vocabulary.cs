namespace Ashlar.CommandLine;

/// <summary>Words of other programs, and what they are called here.</summary>
static class Vocabulary
{
    // Of several meanings that one counts which the noun has, the first before the others.
    static readonly (string Words, string[] Meanings)[] Verbs =
    [
        ("info get describe inspect view display cat details status", ["show", "stats"]),
        ("ls list dir lists all keys dump export find", ["list", "scan"]),
        ("add insert", ["put", "create"]),
        ("new make mk provision mkdir init", ["create", "put"]),
        ("destroy remove rm del erase drop purge unlink delete", ["delete", "drop"]),
        ("grow extend expand shrink", ["resize"]),
        ("throttle qos", ["limit"]),
        ("mv move", ["rename"]),
        ("restore recover undo", ["undelete", "restore"]),
        ("set update save write tag label", ["put", "write", "set"]),
        ("ttl touch renew", ["expire"]),
        ("rollback revert", ["restore"]),
        ("fork copy", ["clone"]),
        ("send", ["export"]),
        ("receive recv", ["import"]),
        ("take", ["create"]),
        ("compare", ["diff"]),
        ("show read fetch", ["get", "read"]),
        ("show info statistics stat", ["stats"]),
        ("check fsck scrub test", ["verify"]),
        ("import", ["load"]),
        ("vacuum optimize", ["compact"]),
        ("discard unmap", ["trim"]),
    ];

    static readonly (string Words, string Noun)[] Nouns =
    [
        ("catalogue", "catalog"),
        ("volumes vols disk disks lun luns image images vdisk", "volume"),
        ("snapshots snaps", "snapshot"),
        ("pools zpool", "pool"),
        ("devices dev", "device"),
        ("keyvalue key-value stores store", "kv"),
        ("start run launch daemon server", "up"),
        ("planner planning", "plan"),
        ("manual", "help"),
    ];

    static readonly (string Words, string Command)[] Alone = [("info health ping state top", "status")];

    /// <summary>Verbs that a word may stand for, the likeliest first.</summary>
    public static IEnumerable<string> VerbsFor(string word) =>
        Verbs.Where(entry => Has(entry.Words, word)).SelectMany(entry => entry.Meanings).Distinct(StringComparer.Ordinal);

    /// <summary>The command of the program that a word stands for.</summary>
    /// <param name="word">What was typed.</param>
    /// <param name="isAlone">Whether no other word follows.</param>
    public static string? CommandFor(string word, bool isAlone) =>
        Nouns.FirstOrDefault(entry => Has(entry.Words, word)).Noun
            ?? (isAlone ? Alone.FirstOrDefault(entry => Has(entry.Words, word)).Command : null);

    static bool Has(string words, string word) => words.Split(' ').Contains(word, StringComparer.OrdinalIgnoreCase);
}
