using System.Collections.Immutable;
using System.Numerics;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>
/// A disk as SCSI sees it: a device, and the state that all initiators of the device share. One per device, however many
/// targets and portals show it.
/// </summary>
public sealed class LogicalUnit
{
    /// <summary>Most bytes that one command moves; advertised in the block limits page.</summary>
    public const int MaxTransferBytes = 4 * 1024 * 1024;

    internal const int MaxCompareAndWriteBlocks = 128;
    internal const int MaxUnmapDescriptors = 256;
    internal const int MaxUnmapBlocks = 1 << 20;
    internal const int MaxWriteSameBlocks = 32 * 1024;

    readonly Lock gate = new();
    ImmutableArray<UnitNexus> nexuses = [];

    /// <summary>Creates a unit.</summary>
    /// <param name="id">Identity that never changes; serial number and designators are made of it.</param>
    /// <param name="driver">Where its blocks are.</param>
    public LogicalUnit(Guid id, BlockDriver driver)
    {
        Id = id;
        Driver = driver;
        BlockShift = BitOperations.Log2((uint)driver.Device.Geometry.BlockSizeBytes);
    }

    /// <summary>Identity that never changes.</summary>
    public Guid Id { get; }

    /// <summary>Where its blocks are.</summary>
    public BlockDriver Driver { get; }

    /// <summary>Block size is 2 to the power of this.</summary>
    internal int BlockShift { get; }

    internal int BlockSizeBytes => 1 << BlockShift;

    /// <summary>Blocks that the device has now: it may grow.</summary>
    internal long BlockCount => Driver.Device.Geometry.BlockCount;

    internal RangeLocks Ranges { get; } = new();

    internal ModeParameters Mode { get; set; }

    /// <summary>Who has reserved the unit (SPC-2, 5.5.1); null when nobody has.</summary>
    internal UnitNexus? ReservedBy { get; private set; }

    internal void Attach(UnitNexus nexus)
    {
        lock (gate) nexuses = nexuses.Add(nexus);
    }

    internal void Detach(UnitNexus nexus)
    {
        lock (gate)
        {
            nexuses = nexuses.Remove(nexus);
            if (ReservedBy == nexus) ReservedBy = null;
        }
    }

    internal bool TryReserve(UnitNexus nexus)
    {
        lock (gate)
        {
            if (ReservedBy is not null && ReservedBy != nexus) return false;
            ReservedBy = nexus;
            return true;
        }
    }

    internal void Release(UnitNexus nexus)
    {
        lock (gate)
            if (ReservedBy == nexus) ReservedBy = null;
    }

    /// <summary>Tells every initiator but one of a condition.</summary>
    internal void Attention(AdditionalSense condition, UnitNexus? except = null)
    {
        foreach (var nexus in nexuses)
            if (nexus != except) nexus.Attention(condition);
    }

    /// <summary>Logical unit reset (SAM-5, 6.3.3): what initiators set is forgotten, and all of them are told.</summary>
    public void Reset()
    {
        lock (gate)
        {
            ReservedBy = null;
            Mode = default;
        }
        Attention(AdditionalSense.PowerOnOrReset);
    }
}
