using Ashlar.Blocks;
using Ashlar.Scsi;

namespace Ashlar.Iscsi;

/// <summary>
/// The logical units in use. All sessions of a device, through whatever target, share one: reservations, mode parameters and
/// the atomicity of COMPARE AND WRITE are the device's.
/// </summary>
sealed class UnitTable
{
    readonly Lock gate = new();
    readonly Dictionary<BlockDriver, (LogicalUnit Unit, int Users)> units = [];

    public LogicalUnit Open(IscsiLun lun)
    {
        lock (gate)
        {
            var (unit, users) = units.GetValueOrDefault(lun.Driver, (new LogicalUnit(lun.Id, lun.Driver), 0));
            units[lun.Driver] = (unit, users + 1);
            return unit;
        }
    }

    public void Close(LogicalUnit unit)
    {
        lock (gate)
        {
            var users = units[unit.Driver].Users - 1;
            if (users == 0) units.Remove(unit.Driver);
            else units[unit.Driver] = (unit, users);
        }
    }
}
