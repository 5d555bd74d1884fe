using Ashlar.Nbd.Protocol;

namespace Ashlar.Nbd.Transmission;

/// <summary>Collects the descriptors of a metadata context; neighbours of one status are one.</summary>
ref struct StatusRuns(Span<BlockDescriptor> runs)
{
    readonly Span<BlockDescriptor> runs = runs;

    public int Count { get; private set; }

    /// <summary>Adds a run; false when there is no room for another.</summary>
    public bool TryAdd(long lengthBytes, uint status)
    {
        if (lengthBytes == 0) return true;
        if (Count > 0 && runs[Count - 1] is var last && last.Status == status)
        {
            runs[Count - 1] = last with { LengthBytes = last.LengthBytes + (ulong)lengthBytes };
            return true;
        }
        if (Count == runs.Length) return false;
        runs[Count++] = new((ulong)lengthBytes, status);
        return true;
    }
}
