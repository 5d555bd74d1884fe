namespace Ashlar.Server;

/// <summary>Periods of the calendar, in UTC, of which a retention keeps one moment each.</summary>
enum RetentionPeriod
{
    Hour = 0,
    Day,

    /// <summary>From Monday on, as ISO 8601 counts.</summary>
    Week,
    Month,
    Year,
}
