#include "engine/operator_service.h"
#include "engine/workflow_service.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
