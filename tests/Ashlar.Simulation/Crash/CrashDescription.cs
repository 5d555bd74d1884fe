using System.Text;

namespace Ashlar.Simulation;

/// <summary>Puts a crash state into words.</summary>
static class CrashDescription
{
    const int MostLines = 40;

    public static string Of(CrashPoint point, Survivors survivors)
    {
        var text = new StringBuilder();
        text.Append($"Of {point.Pending.Count} changes not synced yet, {survivors.IsKept.Count(kept => kept)} survived ");
        text.Append($"(sectors of {survivors.SectorBytes} bytes):");
        if (survivors.OldContentSeed is not null) text.Append(" Where appended data was lost, what lay there before shows.");
        foreach (var i in Enumerable.Range(0, point.Pending.Count).Take(MostLines))
        {
            text.Append('\n').Append(survivors.IsKept[i] ? "  kept  " : "  LOST  ");
            text.Append(Describe(point, point.Pending[i]));
            if (survivors.Tears.TryGetValue(i, out var tear) && point.Pending[i] is PendingData data)
                text.Append($" - {tear} of {data.CountSectors(survivors.SectorBytes)}");
            if (survivors.LengthsReached.TryGetValue(i, out var length)) text.Append($" - reached {length} only");
        }

        if (point.Pending.Count > MostLines) text.Append($"\n  and {point.Pending.Count - MostLines} more");
        return text.ToString();
    }

    static string Describe(CrashPoint point, PendingChange change) => $"event {change.EventIndex}: " + change switch
    {
        PendingNames names => string.Join(", ", names.Slots.Select(slot => slot.Node is { } node
            ? $"name {Below(point, slot)} stands for file {node}"
            : $"name {Below(point, slot)} removed")),
        PendingLength length => $"length of {point.NameOf(length.Node)} becomes {length.Length}",
        PendingData { Snapshot: null } data =>
            $"hole in {point.NameOf(data.Node)}, {data.End - data.Start} bytes at {data.Start}",
        PendingData data => $"write to {point.NameOf(data.Node)}, {data.End - data.Start} bytes at {data.Start}",
        _ => change.ToString(),
    };

    static string Below(CrashPoint point, DirectorySlot slot) => $"{point.NameOf(slot.Directory).TrimEnd('/')}/{slot.Name}";
}
