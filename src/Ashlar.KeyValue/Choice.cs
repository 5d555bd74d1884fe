using System.Runtime.CompilerServices;

namespace Ashlar.KeyValue;

/// <summary>Refuses values of enumerations that have no name: anything but the first would otherwise pass for the last.</summary>
static class Choice
{
    public static void RequireKnown(Durability value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value is < Durability.Sync or > Durability.Unflushed) throw Unknown(value, name);
    }

    public static void RequireKnown(ScanDirection value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value is < ScanDirection.Forward or > ScanDirection.Backward) throw Unknown(value, name);
    }

    public static void RequireKnown(BackupMode value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value is < BackupMode.Incremental or > BackupMode.Full) throw Unknown(value, name);
    }

    static ArgumentOutOfRangeException Unknown<TChoice>(TChoice value, string name) =>
        new(name, value, $"There is no such {typeof(TChoice).Name}.");
}
