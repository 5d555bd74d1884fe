namespace Ashlar.Scsi;

/// <summary>Copies that a unit does now: each takes memory, so there is an end to them.</summary>
sealed class CopyCount
{
    int count;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref count) <= CopyLimits.MaxCopies) return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref count);
}
