using System.Runtime.CompilerServices;
using Ashlar.Blocks;
using Ashlar.Scsi;

namespace Ashlar.Iscsi;

/// <summary>
/// The logical units. All sessions of a volume, through whatever target, share one, which lives as long as the volume: mode
/// parameters last longer than sessions (SPC-4, 5.11).
/// </summary>
sealed class UnitTable
{
    readonly ConditionalWeakTable<VolumeFront, LogicalUnit> units = [];
    readonly CopyCount copies = new();

    public ScsiLun Open(IscsiLun lun)
    {
        var unit = units.GetValue(lun.Session.Volume, volume => new LogicalUnit(lun.Id, volume, copies));
        return new(lun.Number, unit, lun.Session);
    }
}
