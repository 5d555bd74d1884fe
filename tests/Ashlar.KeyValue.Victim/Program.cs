using Ashlar.KeyValue.Victim;

// A process that writes to a store until it is killed. Its standard output carries ReportRecords.
var plan = VictimPlan.Parse(args);
return new VictimLife(plan, new VictimReport(Console.OpenStandardOutput())).Run();
