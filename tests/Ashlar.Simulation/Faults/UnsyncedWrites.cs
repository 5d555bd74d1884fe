using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>What a file held before each change since its last sync, so that a failed sync can lose them.</summary>
sealed class UnsyncedWrites
{
    readonly Stack<(long Offset, byte[] Before)> overwritten = [];
    long? lengthBefore;

    public Lock Gate { get; } = new();

    /// <summary>Call before a range is changed.</summary>
    public void Remember(IFile file, long offset, long length)
    {
        lengthBefore ??= file.LengthBytes;
        var before = new byte[Math.Clamp(file.LengthBytes - offset, 0, length)];
        file.Read(before, offset);
        overwritten.Push((offset, before));
    }

    /// <summary>Call after a sync that did its work.</summary>
    public void Forget()
    {
        overwritten.Clear();
        lengthBefore = null;
    }

    /// <summary>Puts back what there was at the last sync.</summary>
    public void Lose(IFile file)
    {
        while (overwritten.TryPop(out var change)) file.Write(change.Before, change.Offset);
        if (lengthBefore is { } length) file.SetLength(length);
        lengthBefore = null;
    }
}
