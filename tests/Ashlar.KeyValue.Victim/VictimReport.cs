using System.Buffers.Binary;

namespace Ashlar.KeyValue.Victim;

public enum ReportKind : byte
{
    None = 0,

    /// <summary>The store is about to be opened.</summary>
    Opening,

    /// <summary>The store is open.</summary>
    Ready,

    /// <summary>A thread is about to call.</summary>
    Begun,

    /// <summary>The call returned without an error.</summary>
    Acknowledged,

    /// <summary>The call failed.</summary>
    Failed,

    /// <summary>The store is about to be closed: calls may fail from now on.</summary>
    Closing,

    /// <summary>The store was closed in good order.</summary>
    Closed,

    /// <summary>
    /// The process kills itself, or stands still, now; the index is the operation of the disk that it does not do any more.
    /// </summary>
    EndsItself,

    /// <summary>A read did not find what was written.</summary>
    WrongRead,

    /// <summary>The index counts the bytes of values that were moved in this life.</summary>
    ValuesMoved,

    /// <summary>A backup is about to be made.</summary>
    BackupBegun,

    /// <summary>It is made; the index is its number.</summary>
    BackupDone,

    /// <summary>The backup of this number is about to be deleted.</summary>
    BackupDeleted,
}

/// <summary>One thing that the victim said. Its index counts the operations of a thread.</summary>
public readonly record struct ReportRecord(ReportKind Kind, int Thread, int Index)
{
    public const int SizeBytes = 8;

    public static ReportRecord Read(ReadOnlySpan<byte> source) =>
        new((ReportKind)source[0], source[1], BinaryPrimitives.ReadInt32LittleEndian(source[4..]));

    public void Write(Span<byte> destination)
    {
        destination.Clear();
        destination[0] = (byte)Kind;
        destination[1] = (byte)Thread;
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Index);
    }
}

/// <summary>
/// Tells the outside what was begun and what was acknowledged. A record is one write to a pipe: it is out when the call
/// returns, whatever happens to the process, and records of all threads have one order.
/// </summary>
sealed class VictimReport(Stream pipe)
{
    public void Say(ReportKind kind, int thread = 0, int index = 0)
    {
        Span<byte> record = stackalloc byte[ReportRecord.SizeBytes];
        new ReportRecord(kind, thread, index).Write(record);
        pipe.Write(record);
        pipe.Flush();
    }
}
