namespace Ashlar.KeyValue.Files;

/// <summary>Gives out file numbers, each once.</summary>
sealed class FileNumbers(ulong next)
{
    ulong last = next - 1;

    public ulong Next() => Interlocked.Increment(ref last);
}
