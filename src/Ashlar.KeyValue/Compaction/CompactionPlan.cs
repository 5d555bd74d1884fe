using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Tables to merge, and the level that the result goes to.</summary>
/// <param name="Inputs">
/// Complete: what overlaps them in the output level is among them, and every older entry of their keys that level 0 holds.
/// The one exception is a merge within level 0, whose inputs follow each other in age and which keeps its tombstones.
/// </param>
/// <param name="OutputLevel">Where the result goes.</param>
/// <param name="IsMove">
/// Whether the inputs overlap neither each other nor anything in the output level: they go there as they are, by an edit
/// alone.
/// </param>
sealed record CompactionPlan(Table[] Inputs, int OutputLevel, bool IsMove = false)
{
    /// <summary>Whether the inputs go without being read, by an edit alone: nobody can see anything of them.</summary>
    public bool IsDrop { get; private init; }

    /// <summary>
    /// The time by which it was chosen, for the sake of what had expired (<see cref="Entries.Expiry.Now"/>): the merge goes by it, too,
    /// so that whatever the clock does, it does what it was chosen for. Null: the time when it begins.
    /// </summary>
    public long? Now { get; init; }

    /// <summary>Tables that go as a whole.</summary>
    public static CompactionPlan Drop(Table[] tables) => new(tables, 0) { IsDrop = true };

    /// <summary>Bytes that the merge reads and, at most, writes.</summary>
    public long Bytes => IsMove || IsDrop ? 0 : Inputs.Sum(table => table.Info.FileLength);
}
