using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>What a file held before each change since its last sync, so that a failed sync can lose them.</summary>
sealed class UnsyncedWrites
{
    readonly List<(long Offset, byte[] Before)> overwritten = [];
    long? lengthBefore;

    public Lock Gate { get; } = new();

    /// <summary>Call before a range is changed.</summary>
    public void Remember(IFile file, long offset, long length)
    {
        lengthBefore ??= file.LengthBytes;
        var before = new byte[Math.Clamp(file.LengthBytes - offset, 0, length)];
        file.Read(before, offset);
        overwritten.Add((offset, before));
    }

    /// <summary>Changes since the last sync.</summary>
    public int Count => overwritten.Count;

    /// <summary>How often changes were lost: every open file reports that once.</summary>
    public int Losses { get; private set; }

    /// <summary>Call after a sync that did its work: it was for the first <paramref name="count"/> changes.</summary>
    public void Forget(int count)
    {
        overwritten.RemoveRange(0, Math.Min(count, overwritten.Count));
        if (overwritten.Count == 0) lengthBefore = null;
    }

    /// <summary>Puts back what there was at the last sync.</summary>
    public void Lose(IFile file)
    {
        for (var i = overwritten.Count - 1; i >= 0; i--) file.Write(overwritten[i].Before, overwritten[i].Offset);
        overwritten.Clear();
        if (lengthBefore is { } length) file.SetLength(length);
        lengthBefore = null;
        Losses++;
    }
}
