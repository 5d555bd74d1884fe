using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// How the copies of an initiator stand, by their list identifiers: in progress, or ended, until it has asked, or uses the identifier
/// anew (SPC-4, 5.16.4). At most one for each of the 256 identifiers.
/// </summary>
sealed class CopyResults
{
    const int InProgress = 0, EndedWell = 1, EndedWithErrors = 2, InKibibytes = 1;

    readonly Lock gate = new();
    readonly Dictionary<byte, Copy> copies = [];

    /// <summary>A copy begins; false when another one of that identifier is under way.</summary>
    public bool TryBegin(byte identifier)
    {
        lock (gate)
        {
            if (copies.TryGetValue(identifier, out var known) && known.State == InProgress) return false;
            copies[identifier] = new(InProgress, 0, 0, default);
            return true;
        }
    }

    /// <summary>A segment of it is done.</summary>
    public void Progress(byte identifier, int segments, long bytes)
    {
        lock (gate) copies[identifier] = new(InProgress, segments, bytes, default);
    }

    /// <summary>It has ended.</summary>
    public void End(byte identifier, int segments, long bytes, ScsiResult result)
    {
        lock (gate)
        {
            Invariant.Require(copies[identifier].State == InProgress);
            copies[identifier] = new(result.Status == ScsiStatus.Good ? EndedWell : EndedWithErrors, segments, bytes, result);
        }
    }

    /// <summary>It was given up, and its initiator never hears of it.</summary>
    public void Forget(byte identifier)
    {
        lock (gate) copies.Remove(identifier);
    }

    // RECEIVE COPY STATUS(LID1) parameter data (SPC-4, 6.24.2)
    //   0  bytes that follow (4)   4  state   5  segments done (2)   7  unit of the count: KiB   8  count (4)
    /// <summary>How a copy stands; null when there is none of that identifier.</summary>
    public byte[]? DescribeStatus(byte identifier)
    {
        Copy copy;
        lock (gate)
        {
            if (!copies.TryGetValue(identifier, out copy)) return null;
            // The details of a failure wait to be asked for by themselves.
            if (copy.State == EndedWell) copies.Remove(identifier);
        }

        var data = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[4] = (byte)copy.State;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(5), (ushort)copy.Segments);
        data[7] = InKibibytes;
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(8), (uint)(copy.Bytes >> 10));
        return data;
    }

    // RECEIVE COPY FAILURE DETAILS(LID1) parameter data (SPC-4, 6.21.2)
    //   0  bytes that follow (4); 0 when nothing failed   56  status of the command   58  bytes of sense data (2)   60  sense data
    /// <summary>Why a copy failed.</summary>
    public byte[] DescribeFailure(byte identifier)
    {
        const int statusOffset = 56, senseOffset = 60;
        Copy copy;
        lock (gate)
        {
            if (!copies.TryGetValue(identifier, out copy) || copy.State != EndedWithErrors) return new byte[4];
            copies.Remove(identifier);
        }

        var data = new byte[senseOffset + Sense.FixedSizeBytes];
        BinaryPrimitives.WriteInt32BigEndian(data, data.Length - 4);
        data[statusOffset] = (byte)copy.Result.Status;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(statusOffset + 2), Sense.FixedSizeBytes);
        copy.Result.Sense.Write(data.AsSpan(senseOffset), descriptorFormat: false);
        return data;
    }

    readonly record struct Copy(int State, int Segments, long Bytes, ScsiResult Result);
}
