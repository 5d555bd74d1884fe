using System.Collections.Immutable;
using System.Numerics;
using Ashlar.Blocks;

namespace Ashlar.Scsi;

/// <summary>
/// A disk as SCSI sees it: a volume, and what SCSI alone says of it to all initiators. One per volume, however many targets
/// and portals show it. What binds clients of other protocols too, reservations and write protection, is the volume's.
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
    volatile bool descriptorSense;

    /// <summary>Creates a unit.</summary>
    /// <param name="id">Identity that never changes; serial number and designators are made of it.</param>
    /// <param name="volume">Where its blocks are.</param>
    /// <param name="copiesOfNode">Those of all units of the node; null where it is the only one.</param>
    public LogicalUnit(Guid id, VolumeFront volume, CopyCount? copiesOfNode = null)
    {
        CopiesOfNode = copiesOfNode ?? new();
        Id = id;
        Volume = volume;
        BlockShift = BitOperations.Log2((uint)volume.Geometry.BlockSizeBytes);
        // The unit lives as long as the volume.
        volume.Changed += (_, change) =>
        {
            switch (change.Kind)
            {
                case VolumeEventKind.CapacityChanged:
                    Attention(AdditionalSense.CapacityDataHasChanged);
                    break;
                case VolumeEventKind.SpaceRunsShort:
                    Attention(AdditionalSense.ThinProvisioningSoftThresholdReached);
                    break;
            }
        };
        volume.Access.Persistent.Noticed += (_, what) =>
        {
            foreach (var nexus in nexuses)
                if (what.Registrants.Contains(nexus.Session.Registrant)) nexus.Attention(ConditionOf(what.Notice));
        };
    }

    /// <summary>Identity that never changes.</summary>
    public Guid Id { get; }

    /// <summary>Where its blocks are.</summary>
    public VolumeFront Volume { get; }

    /// <summary>Block size is 2 to the power of this.</summary>
    internal int BlockShift { get; }

    internal int BlockSizeBytes => 1 << BlockShift;

    /// <summary>Blocks that the device has now: it may grow.</summary>
    internal long BlockCount => Volume.Geometry.BlockCount;

    /// <summary>Most blocks that one write can be atomic of; 0 where none can.</summary>
    internal int MaxAtomicWriteBlocks => Math.Min(Volume.Geometry.MaxAtomicWriteBytes >> BlockShift, ushort.MaxValue);

    /// <summary>Copies that it takes part in as the unit that was asked for them.</summary>
    internal CopyCount Copies { get; } = new(CopyLimits.MaxCopiesOfUnit);

    internal CopyCount CopiesOfNode { get; }

    internal ModeParameters Mode
    {
        get => new(descriptorSense, Volume.Access.IsWriteProtected);
        set
        {
            descriptorSense = value.DescriptorSense;
            Volume.Access.IsWriteProtected = value.SoftwareWriteProtect;
        }
    }

    static AdditionalSense ConditionOf(ReservationNotice notice) => notice switch
    {
        ReservationNotice.RegistrationPreempted => AdditionalSense.RegistrationsPreempted,
        ReservationNotice.ReservationPreempted => AdditionalSense.ReservationsPreempted,
        _ => AdditionalSense.ReservationsReleased,
    };

    internal void Attach(UnitNexus nexus)
    {
        lock (gate) nexuses = nexuses.Add(nexus);
    }

    internal void Detach(UnitNexus nexus)
    {
        lock (gate) nexuses = nexuses.Remove(nexus);
        Volume.Access.Release(nexus.Session);
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
        descriptorSense = false;
        Volume.Access.Reset();
        Attention(AdditionalSense.PowerOnOrReset);
    }
}
