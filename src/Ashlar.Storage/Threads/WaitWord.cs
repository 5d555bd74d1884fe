using System.Runtime.InteropServices;

namespace Ashlar.Storage;

/// <summary>
/// A number that threads wait for, outside of the garbage collector's memory: however many wait, one system call wakes them,
/// and none is made when the caller knows that nobody waits. On systems without futexes a monitor does the same.
/// </summary>
/// <remarks>
/// It may be set back and used again; who waits checks again after every wake-up, so one that comes late does no harm.
/// </remarks>
public sealed unsafe class WaitWord
{
    const int CacheLineBytes = 64;

    readonly int* word;
    readonly object? monitor; // Where there is no futex.

    /// <summary>Creates a word that holds 0.</summary>
    public WaitWord()
        : this(Futex.IsSupported)
    {
    }

    internal WaitWord(bool usesFutex)
    {
        if (!usesFutex) monitor = new();
        word = (int*)NativeMemory.AlignedAlloc(CacheLineBytes, CacheLineBytes);
        *word = 0;
    }

#pragma warning disable MA0055 // Whoever waits or wakes holds a reference, so nobody can be using the memory.
    /// <summary>Frees the word.</summary>
    ~WaitWord() => NativeMemory.AlignedFree(word);
#pragma warning restore MA0055

    /// <summary>What it holds. Setting it wakes nobody.</summary>
    public int Value
    {
        get
        {
            var value = Volatile.Read(ref *word);
            GC.KeepAlive(this);
            return value;
        }

        set
        {
            if (monitor is null)
            {
                Volatile.Write(ref *word, value);
                GC.KeepAlive(this);
                return;
            }

            using (Uninterrupted.Enter(monitor)) Volatile.Write(ref *word, value);
            GC.KeepAlive(this);
        }
    }

    /// <summary>Blocks while it holds <paramref name="value"/>.</summary>
    public void WaitWhile(int value)
    {
        if (monitor is null)
        {
            while (Volatile.Read(ref *word) == value) Futex.Wait(word, value);
            GC.KeepAlive(this);
            return;
        }

        // A futex is not interrupted either: what is waited for here are writes of others, too.
        using (Uninterrupted.Enter(monitor))
        {
            while (Volatile.Read(ref *word) == value) Uninterrupted.Wait(monitor);
        }

        Uninterrupted.Restore();
        GC.KeepAlive(this);
    }

    /// <summary>Wakes all who wait; call it after <see cref="Value"/> was set.</summary>
    public void WakeAll()
    {
        if (monitor is null)
        {
            Futex.WakeAll(word);
            GC.KeepAlive(this);
            return;
        }

        using (Uninterrupted.Enter(monitor)) Monitor.PulseAll(monitor);
    }
}
