using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

// Which devices belong to it, and where each of them lies.
public sealed partial class ConcatDevice
{
    /// <summary>Makes a set of one device, as it is.</summary>
    /// <param name="first">The device, which the set takes over.</param>
    /// <param name="setId">What the labels of further ones will name: the identity of what lies on the set.</param>
    /// <exception cref="ArgumentException">It is smaller than a unit of 64 KiB.</exception>
    public static ConcatDevice Of(IBlockDevice first, Guid setId)
    {
        ArgumentNullException.ThrowIfNull(first);
        return new(setId, [Place(first, startBlock: 0, skippedBytes: 0)]);
    }

    /// <summary>Puts the devices of a set together, in whatever order they come. If that fails they stay the caller's.</summary>
    /// <param name="first">The one without a label.</param>
    /// <param name="setId">Which set it is.</param>
    /// <param name="others">All others that are there.</param>
    /// <param name="gaps">Where devices were that were taken out, by their number.</param>
    /// <exception cref="UnsupportedFormatException">One has no label, or is of another set, or there twice, or one is missing.</exception>
    /// <exception cref="CorruptDataException">A label is damaged, or a device is shorter than it was.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<ConcatDevice> OpenAsync(
        IBlockDevice first, Guid setId, IReadOnlyList<IBlockDevice> others, IReadOnlyDictionary<int, ConcatGap>? gaps = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(others);
        gaps ??= new Dictionary<int, ConcatGap>();
        var found = new SortedDictionary<int, (IBlockDevice Device, ConcatLabel Label)>();
        foreach (var device in others)
        {
            var label = await ReadLabelAsync(device).ConfigureAwait(false)
                ?? throw new UnsupportedFormatException(device.Name, "not a device of a set");
            if (label.SetId != setId)
                throw new UnsupportedFormatException(device.Name, $"it belongs to another set: {label.SetId}, not {setId}");
            if (!found.TryAdd(label.Number, (device, label)))
            {
                throw new UnsupportedFormatException(
                    device.Name, $"{found[label.Number].Device.Name} is device {label.Number} of the set, too");
            }
        }

        var members = new List<ConcatMember> { Place(first, startBlock: 0, skippedBytes: 0) };
        foreach (var (number, (device, label)) in found)
        {
            AddGaps(members, gaps);
            if (number != members.Count)
            {
                throw new UnsupportedFormatException(
                    device.Name, $"it is device {number} of the set, and device {members.Count} is missing");
            }
            members[^1] = Cut(members[^1], label.StartBytes);
            members.Add(Place(device, members[^1].EndBlock, ConcatLabel.ReservedBytes));
        }

        AddGaps(members, gaps);
        return new(setId, [.. members]);
    }

    /// <summary>The devices and the part of the set that lies on each, in their order; null for those that were taken out.</summary>
    public IReadOnlyList<(IBlockDevice? Device, long OffsetBytes, long LengthBytes)> Layout =>
    [
        .. Members.Select(member => (
            member.Device is GapDevice ? null : member.Device, member.StartBlock * blockSizeBytes, member.BlockCount * blockSizeBytes)),
    ];

    /// <summary>
    /// Takes a device out, whose part nobody uses any more; when the call returns the set does not touch it, and it is the caller's. Crash
    /// order: first the owner remembers that there is a gap, then this, and then the label can go.
    /// </summary>
    /// <param name="device">The device, which is not the first one.</param>
    /// <exception cref="ArgumentException">It is not one that can be taken out.</exception>
    public async ValueTask TakeOutAsync(IBlockDevice device)
    {
        await growing.EnterAsync().ConfigureAwait(false);
        try
        {
            var present = Members;
            var number = Array.FindIndex(present, member => member.Device == device);
            if (number <= 0) throw new ArgumentException($"{device.Name} cannot be taken out of {Name}.", nameof(device));
            var changed = (ConcatMember[])present.Clone();
            changed[number] = Gap(present[number].StartBlock, present[number].BlockCount);
            Volatile.Write(ref members, changed);
        }
        finally
        {
            growing.Exit();
        }

        await flushes.PassAsync().ConfigureAwait(false); // Those that began before may still come to it.
    }

    // A gap has no label that says where it begins: its owner does, or it would begin later when the device before it is longer.
    static void AddGaps(List<ConcatMember> members, IReadOnlyDictionary<int, ConcatGap> gaps)
    {
        while (gaps.TryGetValue(members.Count, out var gap))
        {
            if (gap.OffsetBytes is { } offset) members[^1] = Cut(members[^1], offset);
            var (name, blockBytes) = (members[0].Device.Name, members[0].Device.Geometry.BlockSizeBytes);
            members.Add(Gap(name, blockBytes, members[^1].EndBlock, gap.LengthBytes / blockBytes));
        }
    }

    ConcatMember Gap(long startBlock, long blockCount) => Gap(Name, blockSizeBytes, startBlock, blockCount);

    static ConcatMember Gap(string name, int blockSizeBytes, long startBlock, long blockCount) =>
        new(new GapDevice(name, new BlockGeometry(blockSizeBytes, blockCount, blockSizeBytes)), startBlock, 0, blockCount);

    /// <summary>The set that a device says that it belongs to; null where it has no label.</summary>
    /// <exception cref="UnsupportedFormatException">The label is of a version that this program cannot read.</exception>
    /// <exception cref="CorruptDataException">Both copies of the label are damaged.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    public static async ValueTask<Guid?> FindSetAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return (await ReadLabelAsync(device).ConfigureAwait(false))?.SetId;
    }

    /// <summary>Length of a further device that is to add so much to a set.</summary>
    public static long DeviceBytesFor(long usableBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(usableBytes, 1);
        var units = ((usableBytes - 1) / ConcatLabel.UnitBytes) + 1;
        return checked((units * ConcatLabel.UnitBytes) + ConcatLabel.ReservedBytes);
    }

    /// <summary>What a further device with so many bytes adds to a set.</summary>
    public static long UsableBytes(long deviceBytes) =>
        Math.Max(0, (deviceBytes - ConcatLabel.ReservedBytes) / ConcatLabel.UnitBytes * ConcatLabel.UnitBytes);

    /// <summary>
    /// Labels a further device, durably, so that it can be added. What was on it is lost. Crash order: a set whose owner does not know of
    /// a device is complete without it, so the label comes first, then the owner remembers the device, and then it is added.
    /// </summary>
    /// <exception cref="ArgumentException">It does not fit the set, or has no room beside the label.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask LabelAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Geometry.BlockSizeBytes != blockSizeBytes)
            throw new ArgumentException($"{device.Name} has blocks of {device.Geometry.BlockSizeBytes} bytes, {Name} of {blockSizeBytes}.");
        if (UsableBytes(device.Geometry.SizeBytes) == 0)
            throw new ArgumentException($"{device.Name} has {device.Geometry.SizeBytes} bytes, which is too small to add.");
        var present = Members;
        if (present.Length == ConcatLabel.MaxDevices) throw new ArgumentException($"{Name} has {present.Length} devices already.");
        var bytes = new byte[ConcatLabel.SizeBytes];
        new ConcatLabel(setId, present.Length, present[^1].EndBlock * blockSizeBytes).Write(bytes);
        for (var copy = 0; copy < ConcatLabel.CopyCount; copy++)
            await device.WriteAsync(LabelLba(device, copy), bytes).ConfigureAwait(false);
        await device.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Adds a device that was labelled for this place; the set takes it over.</summary>
    /// <exception cref="UnsupportedFormatException">It was not.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask AddAsync(IBlockDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var label = await ReadLabelAsync(device).ConfigureAwait(false);
        await growing.EnterAsync().ConfigureAwait(false);
        try
        {
            var present = Members;
            if (label is null || label.SetId != setId || label.Number != present.Length
                || label.StartBytes != present[^1].EndBlock * blockSizeBytes)
            {
                throw new UnsupportedFormatException(device.Name, $"it is not labelled as device {present.Length} of {Name}");
            }
            if (device is ICachingDevice cache) cache.FlushInterval = flushInterval;
            Volatile.Write(ref members, [.. present, Place(device, present[^1].EndBlock, ConcatLabel.ReservedBytes)]);
        }
        finally
        {
            growing.Exit();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder<>))]
    static async ValueTask<ConcatLabel?> ReadLabelAsync(IBlockDevice device)
    {
        if (device.Geometry.SizeBytes < ConcatLabel.ReservedBytes) return null;
        CorruptDataException? damage = null;
        var bytes = new byte[ConcatLabel.SizeBytes];
        for (var copy = 0; copy < ConcatLabel.CopyCount; copy++)
        {
            try
            {
                await device.ReadAsync(LabelLba(device, copy), bytes).ConfigureAwait(false);
                if (ConcatLabel.HasMagic(bytes)) return ConcatLabel.Read(bytes, device.Name, copy * ConcatLabel.CopyDistanceBytes);
            }
            catch (CorruptDataException e)
            {
                damage ??= e;
            }
        }

        return damage is null ? null : throw damage;
    }

    static Lba LabelLba(IBlockDevice device, int copy) => new(copy * ConcatLabel.CopyDistanceBytes / device.Geometry.BlockSizeBytes);

    static ConcatMember Place(IBlockDevice device, long startBlock, long skippedBytes)
    {
        var blockBytes = device.Geometry.BlockSizeBytes;
        var bytes = (device.Geometry.SizeBytes - skippedBytes) / ConcatLabel.UnitBytes * ConcatLabel.UnitBytes;
        if (bytes <= 0) throw new ArgumentException($"{device.Name} has {device.Geometry.SizeBytes} bytes, too few for a device of a set.");
        return new(device, startBlock, skippedBytes / blockBytes, bytes / blockBytes);
    }

    // Whatever has become longer since: the next one begins where its label says.
    static ConcatMember Cut(ConcatMember member, long endBytes)
    {
        var blocks = (endBytes / member.Device.Geometry.BlockSizeBytes) - member.StartBlock;
        if (blocks <= 0 || blocks > member.BlockCount)
        {
            throw new CorruptDataException(
                member.Device.Name,
                member.Device.Geometry.SizeBytes,
                $"cut off, or not the device that it was: {blocks * member.Device.Geometry.BlockSizeBytes} bytes of the set lie on it");
        }
        return member with { BlockCount = blocks };
    }
}
