using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Keeps the note of one thing that is done from time to time, and changes it only from what it was known to be.</summary>
/// <param name="notes">Where it is kept.</param>
/// <param name="name">What of.</param>
/// <param name="every">How often it is done.</param>
/// <param name="clock">What time it is.</param>
sealed class UpkeepJournal(INotes notes, string name, TimeSpan every, TimeProvider clock)
{
    // What a crash makes to be done again, at the most.
    static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);

    byte[]? kept;
    long savedAt = clock.GetTimestamp();

    /// <summary>Of reading all blocks of a node.</summary>
    public static UpkeepJournal OfScrub(FileStore store, NodeId node) =>
        new(store.Metadata, $"scrub/{node}", FileUpkeep.ScrubEvery, store.Options.TimeProvider);

    /// <summary>Of comparing the nodes with the metadata.</summary>
    public static UpkeepJournal OfSweep(FileStore store) =>
        new(store.Metadata, "sweep", FileUpkeep.SweepEvery, store.Options.TimeProvider);

    /// <summary>The note. Where there is none it is made, and due in one interval: what costs much does not begin at once.</summary>
    public async Task<UpkeepNote> LoadAsync(CancellationToken cancellationToken)
    {
        kept = await notes.FindNoteAsync(name, cancellationToken);
        if (kept is not null && UpkeepNote.Parse(kept) is { } found) return found;
        var first = new UpkeepNote(Next);
        await SaveAsync(first, cancellationToken);
        return first;
    }

    /// <summary>Whether it is due. A time that is further off than the interval is one of a clock that was wrong.</summary>
    public async Task<bool> IsDueAsync(CancellationToken cancellationToken)
    {
        var (due, now) = ((await LoadAsync(cancellationToken)).DueAt, clock.GetUtcNow());
        return due <= now || due > now + every;
    }

    /// <summary>So far it has come: it goes on there at once, if it is cut off.</summary>
    public async Task PassAsync(NodeId? node, CustomerBlock after, CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(savedAt) < SaveEvery) return;
        await SaveAsync(new(clock.GetUtcNow(), node, after), cancellationToken);
    }

    /// <summary>It was cut off here: by the end of the server, or by somebody who does not want it now.</summary>
    public Task StopAsync(NodeId? node, CustomerBlock? after, bool isUnwanted) =>
        SaveAsync(new(isUnwanted ? Next : clock.GetUtcNow(), node, after), CancellationToken.None);

    /// <summary>It is done: next in one interval.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => SaveAsync(new(Next), cancellationToken);

    DateTimeOffset Next => clock.GetUtcNow() + every;

    // Where another server has come further meanwhile, what it says stays.
    async Task SaveAsync(UpkeepNote note, CancellationToken cancellationToken)
    {
        savedAt = clock.GetTimestamp();
        var bytes = note.ToBytes();
        kept = await notes.TryChangeNoteAsync(name, kept, bytes, cancellationToken)
            ? bytes
            : await notes.FindNoteAsync(name, cancellationToken);
    }
}
