-- Which scenario a sign-in met, so that a refresh of its link goes wrong in the same ways. The faults are read from it.
alter table tasks add column scenario_id blob;
alter table scenarios drop column faults;
