using System.Runtime.InteropServices;

namespace Ashlar.KeyValue.Rivals;

/// <summary>Reads what a scan gives out: without it a store could hand over pages that nobody has loaded.</summary>
static class Touch
{
    public static long Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0L;
        foreach (var word in MemoryMarshal.Cast<byte, long>(bytes)) sum += word;
        return sum;
    }
}
