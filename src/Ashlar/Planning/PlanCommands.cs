namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan</c>: reckons, and touches nothing.</summary>
static class PlanCommands
{
    public static Noun Create(Terminal terminal) => new(
        "plan",
        "Plan capacity, stores, clusters, partitions and migrations; touches nothing",
        [
            "ashlar plan estimate --record 250B --records 200M/day --retention 1825d --replicas 3 --index 30%",
            "ashlar plan advise --case orders",
            "ashlar plan cluster --size 200PB --node-size 100TB --replicas 3",
            "ashlar plan skew --rule ring --distribution celebrity",
            "ashlar plan migrate --change change-type --rows 500M",
        ],
        ServerUse.None)
    {
        PlanEstimateCommand.Create(terminal),
        PlanAdviseCommand.Create(terminal),
        PlanClusterCommand.Create(terminal),
        PlanSkewCommand.Create(terminal),
        PlanMigrateCommand.Create(terminal),
    };
}
