using System.Collections.Concurrent;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Finds something in a directory that stays, for whoever removes something from it. What was found is looked up again the next time: a
/// search would pass all that was removed since, again and again, where one after another goes.
/// </summary>
sealed class DirectoryWitnesses(KeyValueStore store, Removals removals)
{
    const int MaxRemembered = 4096;

    readonly ConcurrentDictionary<(CustomerId Customer, FilePath Directory), Witness> known = new();

    /// <summary>Whether a directory has something in it that nobody is about to remove.</summary>
    public bool HasRemaining(CustomerId customer, FilePath directory)
    {
        var isKnown = known.TryGetValue((customer, directory), out var last);
        if (isKnown && IsRemaining(customer, last.Key)) return true;
        // Where they go one after another from one end, the last to go is at the other.
        var fromStart = isKnown && !last.IsFromStart;
        if (Find(customer, directory, fromStart) is not { } found)
        {
            known.TryRemove((customer, directory), out _);
            return false;
        }

        if (known.Count >= MaxRemembered) known.Clear();
        known[(customer, directory)] = new(found, fromStart);
        return true;
    }

    byte[]? Find(CustomerId customer, FilePath directory, bool fromStart)
    {
        var key = MetadataKeys.Directory(customer, directory);
        byte[] start = [.. key, 0];
        var end = KeyRange.Prefix(key).End;
        byte[] looked = [];
        while (true)
        {
            using var rows = store.Scan(
                KeyRange.Between(start, end), fromStart ? ScanDirection.Forward : ScanDirection.Backward);
            if (!rows.MoveNext()) return null;
            var child = MetadataKeys.ChildOf(key, rows.Key);
            if (IsRemaining(customer, child)) return child;
            // Gone since the search began, or about to go with all that may be in it.
            if (!removals.IsAnnounced(customer, MetadataKeys.EntryPath(child)))
            {
                if (looked.AsSpan().SequenceEqual(child)) RequireWhole(child);
                looked = child;
                continue;
            }

            if (!fromStart) end = child;
            else start = child[^1] == '/' ? KeyRange.Prefix(child).End.ToArray() : [.. child, 0];
        }
    }

    // Where something lies in a directory that is not there, searching again finds it again.
    void RequireWhole(byte[] directory)
    {
        using var moment = store.CreateSnapshot();
        if (moment.Get(directory) is not null) return;
        using var rows = moment.Scan(KeyRange.Prefix(directory));
        if (!rows.MoveNext()) return;
        throw new CorruptDataException(
            $"row {Convert.ToHexStringLower(directory)} of the file metadata", 0, "a directory in which something lies is missing");
    }

    // In this order: what is there now, and was not announced before, is announced later, by who looks later.
    bool IsRemaining(CustomerId customer, byte[] key) =>
        !removals.IsAnnounced(customer, MetadataKeys.EntryPath(key)) && store.Get(key) is not null;

    readonly record struct Witness(byte[] Key, bool IsFromStart);
}
