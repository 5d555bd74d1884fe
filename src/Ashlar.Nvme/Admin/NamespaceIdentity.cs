using System.Buffers.Binary;
using System.Numerics;

namespace Ashlar.Nvme;

/// <summary>What is told of the namespace (NVM Command Set 1.0, figure 97, and NVM Express Base 2.0, 5.17.2.3 and 5.17.2.8).</summary>
static class NamespaceIdentity
{
    const byte Thin = 1 << 0, HasHints = 1 << 4, Shared = 1, ReadOnly = 1;

    // Blocks that were deallocated read as zeros, and Write Zeroes may deallocate.
    const byte DeallocatedReadsZeros = 1 | (1 << 3);

    const byte Nguid = 2, Uuid = 3, CommandSet = 4;

    public static void Write(Span<byte> data, NvmeSubsystem subsystem)
    {
        var geometry = subsystem.Session.Geometry;
        BinaryPrimitives.WriteInt64LittleEndian(data, geometry.BlockCount);
        BinaryPrimitives.WriteInt64LittleEndian(data[8..], geometry.BlockCount);
        BinaryPrimitives.WriteInt64LittleEndian(data[16..], geometry.BlockCount);
        WriteCommon(data, subsystem);
        if (!geometry.IsThick) data[24] |= Thin;
        data[30] = Shared;
        data[31] = Reservations.Capabilities(subsystem.Session.Volume.Access);
        data[99] = subsystem.Session.IsReadOnly ? ReadOnly : (byte)0;
        subsystem.Id.TryWriteBytes(data[104..], bigEndian: true, out _);
    }

    /// <summary>What would be so of any namespace.</summary>
    public static void WriteCommon(Span<byte> data, NvmeSubsystem subsystem)
    {
        var geometry = subsystem.Session.Geometry;
        data[24] = HasHints;
        data[33] = DeallocatedReadsZeros;
        BinaryPrimitives.WriteUInt16LittleEndian(data[38..], ControllerIdentity.MaxCompareAndWriteBlocks - 1);
        var preferredBlocks = Math.Max(1, geometry.PhysicalBlockSizeBytes / geometry.BlockSizeBytes);
        var allocatedBlocks = Math.Clamp(geometry.OptimalTransferBytes / geometry.BlockSizeBytes, preferredBlocks, 1 << 16);
        WriteUnits(data[64..], preferredBlocks); // Writes: granularity and alignment,
        WriteUnits(data[66..], preferredBlocks);
        WriteUnits(data[68..], allocatedBlocks); // deallocation: likewise.
        WriteUnits(data[70..], allocatedBlocks);
        BinaryPrimitives.WriteUInt32LittleEndian(data[92..], LogPages.AccessGroup);
        // The only format: no metadata, blocks of 2^n bytes.
        data[130] = (byte)BitOperations.Log2((uint)geometry.BlockSizeBytes);
    }

    /// <summary>A list of identifiers: kind, length, two bytes of nothing, value; zeros end it.</summary>
    public static void WriteDescriptors(Span<byte> data, NvmeSubsystem subsystem)
    {
        Span<byte> id = stackalloc byte[16];
        subsystem.Id.TryWriteBytes(id, bigEndian: true, out _);
        var at = Add(data, 0, Nguid, id);
        at = Add(data, at, Uuid, id);
        Add(data, at, CommandSet, [0]);
    }

    /// <summary>What does not depend on the command set.</summary>
    public static void WriteIndependent(Span<byte> data, NvmeSubsystem subsystem)
    {
        data[1] = Shared;
        data[2] = Reservations.Capabilities(subsystem.Session.Volume.Access);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], LogPages.AccessGroup);
        data[8] = subsystem.Session.IsReadOnly ? ReadOnly : (byte)0;
        data[14] = 1; // Ready.
    }

    static int Add(Span<byte> data, int at, byte kind, ReadOnlySpan<byte> value)
    {
        data[at] = kind;
        data[at + 1] = (byte)value.Length;
        value.CopyTo(data[(at + 4)..]);
        return at + 4 + value.Length;
    }

    // Counts from 0.
    static void WriteUnits(Span<byte> target, int blocks) => BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)(blocks - 1));
}
