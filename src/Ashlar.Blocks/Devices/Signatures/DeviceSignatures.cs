using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// What a device holds, as far as its first bytes and its last ones tell: so that nothing that somebody needs is written over by mistake.
/// </summary>
public static class DeviceSignatures
{
    /// <summary>How much of the front of a device, and of its end, is looked at, and taken away by <see cref="EraseAsync"/>.</summary>
    public const int EdgeBytes = 1 << 20;

    /// <summary>What a device holds on which the making of a pool was interrupted: its metadata, and nothing that says so yet.</summary>
    public const string UnfinishedPool = "a pool of Ashlar that was not finished";

    static readonly Signature[] AtFront =
    [
        new(0, "ASHLPOOL"u8.ToArray(), "a pool of Ashlar"),
        new(64 * 1024, "ASHLPOOL"u8.ToArray(), "a pool of Ashlar"),
        new(0, "ASHLCONC"u8.ToArray(), "a part of a pool of Ashlar"),
        new(64 * 1024, "ASHLCONC"u8.ToArray(), "a part of a pool of Ashlar"),
        new(0, "ASHLRDEV"u8.ToArray(), "a device file of Ashlar"),
        new(0, "ASHLRAID"u8.ToArray(), "a member of a RAID set of Ashlar"),
        new(64 * 1024, "ASHLRAID"u8.ToArray(), "a member of a RAID set of Ashlar"),
        new(0, "ASHL"u8.ToArray(), "something of Ashlar"),
        new(128 * 1024, "ASHLFSYS"u8.ToArray(), UnfinishedPool),
        new(1080, [0x53, 0xEF], "a file system: ext2, ext3 or ext4"),
        new(0, "XFSB"u8.ToArray(), "a file system: xfs"),
        new(0x10040, "_BHRfS_M"u8.ToArray(), "a file system: btrfs"),
        new(0x400, [0x10, 0x20, 0xF5, 0xF2], "a file system: f2fs"),
        new(3, "NTFS    "u8.ToArray(), "a file system: NTFS"),
        new(3, "EXFAT   "u8.ToArray(), "a file system: exFAT"),
        new(54, "FAT1"u8.ToArray(), "a file system: FAT"),
        new(82, "FAT32"u8.ToArray(), "a file system: FAT"),
        new(0, "hsqs"u8.ToArray(), "a file system: squashfs"),
        new(0x8001, "CD001"u8.ToArray(), "a file system: ISO 9660"),
        new(4086, "SWAPSPACE2"u8.ToArray(), "swap space"),
        new(4086, "SWAP-SPACE"u8.ToArray(), "swap space"),
        new(0, "LUKS"u8.ToArray(), "an encrypted volume: LUKS"),
        new(0, "LABELONE"u8.ToArray(), "a physical volume of LVM"),
        new(512, "LABELONE"u8.ToArray(), "a physical volume of LVM"),
        new(1024, "LABELONE"u8.ToArray(), "a physical volume of LVM"),
        new(1536, "LABELONE"u8.ToArray(), "a physical volume of LVM"),
        new(0, [0xFC, 0x4E, 0x2B, 0xA9], "a member of a RAID set of Linux"),
        new(4096, [0xFC, 0x4E, 0x2B, 0xA9], "a member of a RAID set of Linux"),
        new(0, "bluestore block device"u8.ToArray(), "an OSD of Ceph"),
        new(4120, [0xC6, 0x85, 0x73, 0xF6, 0x4E, 0x1A, 0x45, 0xCA, 0x82, 0x65, 0xF5, 0x7F, 0x48, 0xBA, 0x6D, 0x81], "a device of bcache"),
        new(0, [(byte)'Q', (byte)'F', (byte)'I', 0xFB], "an image: qcow2"),
        new(0, "KDMV"u8.ToArray(), "an image: VMDK"),
        new(0, "vhdxfile"u8.ToArray(), "an image: VHDX"),
        new(512, "EFI PART"u8.ToArray(), "a partition table: GPT"),
        new(4096, "EFI PART"u8.ToArray(), "a partition table: GPT"),
        new(510, [0x55, 0xAA], "a partition table or a boot sector: MBR"), // Last: others have it as well.
    ];

    static ReadOnlySpan<byte> LinuxRaidMagic => [0xFC, 0x4E, 0x2B, 0xA9];

    /// <summary>Says what a device holds: "a file system: xfs"; null where it looks empty.</summary>
    /// <exception cref="BlockDeviceException">It cannot be read.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<string?> FindAsync(IBlockDevice device, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        var geometry = device.Geometry;
        var edgeBlocks = Math.Min(EdgeBytes / geometry.BlockSizeBytes, geometry.BlockCount);
        var bytes = new byte[edgeBlocks * geometry.BlockSizeBytes];
        await device.ReadAsync(new Lba(0), bytes, cancellationToken).ConfigureAwait(false);
        if (Known(bytes) is { } known) return known;
        var isBlank = !bytes.AsSpan().ContainsAnyExcept((byte)0);

        await device.ReadAsync(new Lba(geometry.BlockCount - edgeBlocks), bytes, cancellationToken).ConfigureAwait(false);
        if (KnownAtEnd(bytes, geometry.SizeBytes) is { } atEnd) return atEnd;
        return isBlank ? null : "data of a kind that is not known here";
    }

    /// <summary>Makes a device look empty, durably: what its edges hold is lost.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public static async ValueTask EraseAsync(IBlockDevice device, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        var geometry = device.Geometry;
        var edgeBlocks = Math.Min(EdgeBytes / geometry.BlockSizeBytes, geometry.BlockCount);
        await device.WriteZeroesAsync(new Lba(geometry.BlockCount - edgeBlocks), edgeBlocks, default, cancellationToken)
            .ConfigureAwait(false);
        await device.WriteZeroesAsync(new Lba(0), edgeBlocks, default, cancellationToken).ConfigureAwait(false);
        await device.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    static string? Known(ReadOnlySpan<byte> front)
    {
        foreach (var signature in AtFront)
        {
            var end = signature.OffsetBytes + signature.Bytes.Length;
            if (end <= front.Length && front[signature.OffsetBytes..end].SequenceEqual(signature.Bytes)) return signature.Meaning;
        }

        return HoldsZfs(front) ? "a device of ZFS" : null;
    }

    // The array of überblocks of the first label.
    static bool HoldsZfs(ReadOnlySpan<byte> front)
    {
        const int First = 128 * 1024, End = 256 * 1024, Step = 1024;
        const ulong Magic = 0x00bab10c;
        for (var offset = First; offset + Step <= Math.Min(End, front.Length); offset += Step)
        {
            var value = BinaryPrimitives.ReadUInt64LittleEndian(front[offset..]);
            if (value == Magic || BinaryPrimitives.ReverseEndianness(value) == Magic) return true;
        }

        return false;
    }

    // Versions 0.90 and 1.0 of Linux' RAID, and the second copy of a GPT, lie at the end.
    static string? KnownAtEnd(ReadOnlySpan<byte> end, long deviceBytes)
    {
        const int RaidUnit = 64 * 1024;
        var begin = deviceBytes - end.Length;
        long[] places = [(deviceBytes / RaidUnit * RaidUnit) - RaidUnit, (deviceBytes - (8 * 1024)) / 4096 * 4096];
        foreach (var place in places)
        {
            if (place >= begin && place + LinuxRaidMagic.Length <= deviceBytes
                && end.Slice((int)(place - begin), LinuxRaidMagic.Length).SequenceEqual(LinuxRaidMagic))
            {
                return "a member of a RAID set of Linux";
            }
        }

        foreach (var sector in (ReadOnlySpan<int>)[512, 4096])
            if (end.Length >= sector && end[^sector..].StartsWith("EFI PART"u8)) return "a partition table: GPT";
        return null;
    }

    sealed record Signature(int OffsetBytes, byte[] Bytes, string Meaning);
}
