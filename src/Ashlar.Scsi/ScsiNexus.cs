using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi;

/// <summary>
/// An initiator port that talks to a target port (an I_T nexus; an iSCSI session is one). Commands enter here.
/// </summary>
public sealed class ScsiNexus : IDisposable
{
    readonly Dictionary<int, UnitNexus> units;

    /// <summary>Lets an initiator reach the units of a target. Each unit tells it of its power-on first.</summary>
    /// <param name="targetName">Name of the target device: the IQN.</param>
    /// <param name="targetPortName">Name of the target port (SPC-4, 7.8.6.10): the IQN, ",t,0x" and the portal group tag.</param>
    /// <param name="portalGroupTag">Relative target port identifier, 1 or more.</param>
    /// <param name="luns">The units.</param>
    /// <param name="paths">How units are reached through each target port group; null where all of them are the best.</param>
    public ScsiNexus(
        string targetName, string targetPortName, int portalGroupTag, IEnumerable<ScsiLun> luns, IPathStates? paths = null)
    {
        Paths = paths ?? new PathStates([portalGroupTag]);
        TargetName = targetName;
        TargetPortName = targetPortName;
        PortalGroupTag = portalGroupTag;
        units = luns.ToDictionary(lun => lun.Number, lun => new UnitNexus(lun));
    }

    /// <summary>What is known of the initiator's copies.</summary>
    internal CopyResults Copies { get; } = new();

    /// <summary>Copies that it has now, of whatever unit.</summary>
    internal CopyCount RunningCopies { get; } = new(CopyLimits.MaxCopies);

    internal string TargetName { get; }

    internal string TargetPortName { get; }

    internal int PortalGroupTag { get; }

    internal IPathStates Paths { get; }

    /// <summary>Units that are there: a deleted volume is none any more.</summary>
    internal IEnumerable<int> LunNumbers => Reachable.Select(nexus => nexus.Number).Order();

    /// <summary>
    /// Decodes a command and lets it in, or refuses it: unknown, impossible, reserved for others, or because the initiator
    /// has to learn of something first.
    /// </summary>
    /// <param name="command">Filled.</param>
    /// <param name="lun">The addressed unit, 8 bytes.</param>
    /// <param name="cdb">The command descriptor block, 16 bytes.</param>
    public void Begin(ScsiCommand command, ReadOnlySpan<byte> lun, ReadOnlySpan<byte> cdb)
    {
        Invariant.Require(cdb.Length >= ScsiCommand.MaxCdbBytes);
        var description = CommandTable.Find(cdb);
        if (units.TryGetValue(LunAddress.Read(lun), out var nexus) && nexus.Session.IsFenced) nexus = null;
        if (nexus is not null && description is not null && !CommandTable.IsOffered(description, nexus.Unit)) description = null;
        command.Begin(this, nexus, description, cdb);

        // INQUIRY, REPORT LUNS and REQUEST SENSE are answered whatever the state, and even where there is no unit
        // (SPC-4, 5.6 and 6.6.1; SAM-5, 5.14.2).
        var always = description is { AlwaysAnswered: true };
        if (nexus is null && !always)
        {
            command.Refuse(ScsiResult.Check(Sense.LogicalUnitNotSupported));
            return;
        }
        if (description is null)
        {
            // Of an operation that there is, another service action is a field of it (SPC-4, 4.2.5.1).
            var problem = CommandTable.HasServiceActions(cdb[0]) ? Sense.InvalidFieldInCdb(1) : Sense.InvalidOperationCode;
            command.Refuse(ScsiResult.Check(problem));
            return;
        }
        if (!always)
        {
            if (nexus!.Unit.Volume.Access.ReservedBy is { } owner && owner != nexus.Session && !description.AllowedUnderReservation)
            {
                command.Refuse(new(ScsiStatus.ReservationConflict));
                return;
            }
            var access = description.ReadsMedium ? MediumAccess.Read : description.CountsAs;
            if (access != MediumAccess.None && !nexus.MayAccess(writes: access == MediumAccess.Write))
            {
                command.Refuse(new(ScsiStatus.ReservationConflict));
                return;
            }
            if (nexus.TryTakeAttention(out var attention))
            {
                command.Refuse(ScsiResult.Check(attention));
                return;
            }
            if (TargetPortGroups.Refusal(Paths.Of(PortalGroupTag), description) is { } notReady)
            {
                command.Refuse(ScsiResult.Check(notReady));
                return;
            }
        }
        if (description.Decode(command) is { } wrong)
            command.Refuse(ScsiResult.Check(wrong));
    }

    /// <summary>
    /// Units that the initiator may use through this port: what it names otherwise than by a LUN is one of these, or nothing to it.
    /// </summary>
    internal IEnumerable<UnitNexus> Reachable => units.Values.Where(nexus => !nexus.Session.IsFenced);

    /// <summary>Finds the unit that an address names.</summary>
    /// <returns>The unit, or null where there is none.</returns>
    public LogicalUnit? FindUnit(ReadOnlySpan<byte> lun) =>
        units.TryGetValue(LunAddress.Read(lun), out var nexus) ? nexus.Unit : null;

    /// <summary>All units that the initiator sees.</summary>
    public IEnumerable<LogicalUnit> Units => units.Values.Select(nexus => nexus.Unit);

    /// <summary>Tells the initiator of all its units that paths to them have changed.</summary>
    public void PathsChanged()
    {
        foreach (var nexus in units.Values) nexus.Attention(AdditionalSense.AsymmetricAccessStateChanged);
    }

    /// <summary>Tells the initiator of a condition of a unit when it next sends a command there.</summary>
    public void Attention(LogicalUnit unit, AdditionalSense condition)
    {
        foreach (var nexus in units.Values)
            if (nexus.Unit == unit) nexus.Attention(condition);
    }

    /// <summary>The initiator has gone: its reservations end.</summary>
    public void Dispose()
    {
        foreach (var nexus in units.Values) nexus.Dispose();
    }
}
