namespace Ashlar.Scsi;

/// <summary>All commands of a unit, by operation code and service action.</summary>
static class CommandTable
{
    const byte ServiceActionMask = 0x1F;

    static readonly CommandDescription[] Descriptions =
    [
        .. PrimaryCommands.Descriptions,
        .. ReservationCommands.Descriptions,
        .. PersistentReserveInCommands.Descriptions,
        .. PersistentReserveOutCommands.Descriptions,
        .. ModeCommands.Descriptions,
        .. CapacityCommands.Descriptions,
        .. ReadCommands.Descriptions,
        .. WriteCommands.Descriptions,
        .. VerifyCommands.Descriptions,
        .. AtomicCommands.Descriptions,
        .. CopyCommands.Descriptions,
        .. ProvisioningCommands.Descriptions,
        .. DefectCommands.Descriptions,
        .. MaintenanceCommands.Descriptions,
        .. TargetPortGroups.Descriptions,
    ];

    static readonly CommandDescription?[] ByOperationCode = new CommandDescription?[256];

    static CommandTable()
    {
        foreach (var description in Descriptions)
            if (description.ServiceAction < 0) ByOperationCode[description.OperationCode] = description;
    }

    public static IEnumerable<CommandDescription> AllOf(LogicalUnit unit) => Descriptions
        .Where(description => IsOffered(description, unit))
        .OrderBy(description => (description.OperationCode, description.ServiceAction));

    public static bool IsOffered(CommandDescription description, LogicalUnit unit) =>
        description.IsOfferedBy is not { } offers || offers(unit);

    public static CommandDescription? Find(ReadOnlySpan<byte> cdb) =>
        ByOperationCode[cdb[0]] ?? Find(cdb[0], cdb[1] & ServiceActionMask);

    public static CommandDescription? Find(byte operationCode, int serviceAction)
    {
        foreach (var description in Descriptions)
            if (description.OperationCode == operationCode && description.ServiceAction == serviceAction) return description;
        return null;
    }

    public static bool HasServiceActions(byte operationCode)
    {
        foreach (var description in Descriptions)
            if (description.OperationCode == operationCode && description.ServiceAction >= 0) return true;
        return false;
    }
}
