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
    readonly object monitor = new(); // Where there is no futex.

    /// <summary>Creates a word that holds 0.</summary>
    public WaitWord()
    {
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
            if (Futex.IsSupported)
            {
                Volatile.Write(ref *word, value);
                GC.KeepAlive(this);
                return;
            }

            lock (monitor) *word = value;
        }
    }

    /// <summary>Blocks while it holds <paramref name="value"/>.</summary>
    public void WaitWhile(int value)
    {
        if (Futex.IsSupported)
        {
            while (Volatile.Read(ref *word) == value) Futex.Wait(word, value);
            GC.KeepAlive(this);
            return;
        }

        lock (monitor)
        {
            while (*word == value) Monitor.Wait(monitor);
        }
    }

    /// <summary>Wakes all who wait; call it after <see cref="Value"/> was set.</summary>
    public void WakeAll()
    {
        if (Futex.IsSupported)
        {
            Futex.WakeAll(word);
            GC.KeepAlive(this);
            return;
        }

        lock (monitor) Monitor.PulseAll(monitor);
    }
}
